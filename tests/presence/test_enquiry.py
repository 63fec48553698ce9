"""Numbers of places, asked for by name: no older than a count, and never those of a store that lost what it held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.typedefs import Handler
from redis.asyncio import Redis

from gateway.sites import SiteSettings
from presence.api import routes
from presence.enquiry import Enquiry
from presence.ledger import Epoch, Ledger
from presence.places import Kind, Place
from tests.patience import until
from tests.presence.workers import worker


@pytest.mark.slow
async def test_a_store_that_lost_what_it_held_is_not_believed(valkey_url: str, prefix: str, valkey: Redis) -> None:
    """Found by `python -m tests.truth --seed 22`: a store restarted empty, asked before the leases had noticed."""
    async with worker(valkey_url, prefix) as one:
        now = 0.0
        enquiry = Enquiry(Ledger(valkey, prefix), one.presence.holdings, lambda: epoch, 0.1, lambda: now)
        epoch = one.presence.epoch
        one.open(path="/1")
        await until(lambda: one.online == 1)
        assert await enquiry.readers("demo", "page", "/2") == 0
        now = 1.0
        await valkey.delete(f"{prefix}:presence:epoch")
        assert await enquiry.readers("demo", "page", "/2") is None
        # The leases notice, and make the store whole: it has another epoch then.
        await until(lambda: one.presence.epoch not in (None, epoch))
        epoch = one.presence.epoch
        assert await enquiry.readers("demo", "page", "/2") == 0


async def test_an_answer_is_good_until_the_next_count(valkey_url: str, prefix: str, valkey: Redis) -> None:
    """Found by `python -m tests.truth --seed 21`: with short times between counts a second is longer than a bound."""
    async with worker(valkey_url, prefix) as one, worker(valkey_url, prefix) as other:
        now = 0.0
        enquiry = Enquiry(Ledger(valkey, prefix), one.presence.holdings, lambda: one.presence.epoch, 0.1, lambda: now)
        assert await enquiry.readers("demo", "page", "/1") == 0
        other.open(path="/1")
        await until(lambda: one.online == 1)
        assert await enquiry.readers("demo", "page", "/1") == 0
        now = 0.11
        assert await enquiry.readers("demo", "page", "/1") == 1


async def test_a_store_that_the_leases_have_made_whole_while_it_was_waited_for_is_not_believed(
    valkey_url: str, prefix: str, valkey: Redis
) -> None:
    """Found by `python -m tests.truth --seed 203`: a store that started again empty answered a question that had waited
    for it, filled by some workers only."""
    async with worker(valkey_url, prefix) as one:

        class Waited(Ledger):
            async def count_places(self, site: str, places: Sequence[Place]) -> list[int]:
                await valkey.delete(f"{prefix}:presence:epoch")
                lost = one.presence.epoch
                await until(lambda: one.presence.epoch not in (None, lost))
                return await super().count_places(site, places)

        enquiry = Enquiry(Waited(valkey, prefix), one.presence.holdings, lambda: one.presence.epoch, 0.1)
        assert await enquiry.readers("demo", "page", "/1") is None


async def test_what_was_known_while_all_was_stale_is_not_called_fresh(valkey_url: str, prefix: str) -> None:
    """Found by `python -m tests.truth --seed 204`: one place was known from before, the other had to be waited for, and
    meanwhile the store was whole again."""
    async with worker(valkey_url, prefix) as one:
        gauge = one.holding.gauge
        gauge.lost()

        class Slow(Enquiry):
            async def readers(self, site: str, kind: Kind, name: str, epoch: Epoch | None = None) -> int | None:
                gauge.stale = kind == "section"
                return 48

        slow = Slow(one.ledger, one.presence.holdings, lambda: None, 0.1)
        (route,) = routes(one.presence, slow, {"demo": SiteSettings()})
        request = make_mocked_request("GET", "/?section=news&path=/1", match_info={"site": "demo"})
        answer = await cast(Handler, route.handler)(request)
        assert isinstance(answer, web.Response)
        said = msgspec.json.decode(cast(bytes, answer.body))
        assert (said["section"]["online"], said["stale"]) == (48, True)


async def test_of_two_questions_the_second_does_not_believe_what_the_first_had_to_wait_for(
    valkey_url: str, prefix: str, valkey: Redis
) -> None:
    """Found by `make soak`, seed 979195: the first waited for a store that came back empty and gave nothing; by the
    second the leases of this worker had made it whole, and those of others had not."""
    async with worker(valkey_url, prefix) as one:

        class Waited(Ledger):
            async def count_places(self, site: str, places: Sequence[Place]) -> list[int]:
                if places[0].kind == "section":
                    await valkey.delete(f"{prefix}:presence:epoch")
                    lost = one.presence.epoch
                    await until(lambda: one.presence.epoch not in (None, lost))
                return await super().count_places(site, places)

        enquiry = Enquiry(Waited(valkey, prefix), one.presence.holdings, lambda: one.presence.epoch, 0.1)
        (route,) = routes(one.presence, enquiry, {"demo": SiteSettings()})
        request = make_mocked_request("GET", "/?section=news&path=/1", match_info={"site": "demo"})
        answer = await cast(Handler, route.handler)(request)
        assert isinstance(answer, web.Response)
        said = msgspec.json.decode(cast(bytes, answer.body))
        assert (said["section"]["online"], said["page"]["online"]) == (None, None)
