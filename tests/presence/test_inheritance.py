"""Leases of a run that has ended, on a real Valkey and on Redis 6.2."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.settings import GatewaySettings
from gateway.sites import SiteSettings
from presence.identity import Identity
from presence.inheritance import shorten
from presence.ledger import Ledger
from presence.naming import Names
from presence.settings import PresenceSettings
from tests.presence.test_ledger import NEVER, Scripts, now_ms, reader_of

KEY = Identity(b"a secret of the tests that is long enough").key_of_day("demo", "1")


async def longest_lease(redis: Redis, ledger: Ledger, site: str, since_ms: int) -> float:
    """Seconds from `since_ms` until the last lease of the site lapses."""
    ((_, score),) = await redis.zrange(ledger.keys(site, 0)[0], -1, -1, withscores=True)
    return (float(score) - since_ms) / 1000


async def test_readers_are_given_as_long_as_they_were_told_to_wait(redis: Redis, prefix: str) -> None:
    ledger = Scripts(redis, prefix)
    crowd = [reader_of(number) for number in range(6000)]
    for begin in range(0, 6000, 500):
        await ledger.renew("large", 0, crowd[begin : begin + 500], Names((KEY,), NEVER), 30.0)
    await ledger.renew("small", 0, crowd[:3], Names((KEY,), NEVER), 30.0)
    sites = {"large": SiteSettings(), "small": SiteSettings(), "empty": SiteSettings()}
    began = await now_ms(redis)
    assert await shorten(redis, prefix, sites, PresenceSettings(), GatewaySettings()) == 6003
    ended = await now_ms(redis)
    assert (await ledger.count("large")).online == 6000
    # Of six thousand the last is asked to wait twelve seconds, whichever site it is on; and has one to arrive.
    for site in ("large", "small"):
        assert await longest_lease(redis, ledger, site, began) > 12.0
        assert await longest_lease(redis, ledger, site, ended) <= 13.1


async def test_a_few_are_given_as_long_as_a_few_were_told_to_wait(redis: Redis, prefix: str) -> None:
    ledger = Scripts(redis, prefix)
    await ledger.renew("small", 0, [reader_of(number) for number in range(3)], Names((KEY,), NEVER), 30.0)
    began = await now_ms(redis)
    await shorten(redis, prefix, {"small": SiteSettings()}, PresenceSettings(), GatewaySettings())
    ended = await now_ms(redis)
    assert await longest_lease(redis, ledger, "small", began) > 4.0
    assert await longest_lease(redis, ledger, "small", ended) <= 5.0
