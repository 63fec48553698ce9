"""Sections, pages and what readers do: over several tabs, connections and workers, on a real store."""

from __future__ import annotations

import msgspec
import pytest
from redis.asyncio import Redis

from presence.counter import TABS
from presence.enquiry import Enquiry
from presence.gauge import States
from presence.roster import Tab as RosterTab
from tests.patience import until
from tests.presence.workers import BRISK, Tab, worker

pytestmark = pytest.mark.slow


async def test_readers_of_a_page_are_told_how_many_they_are_over_all_workers(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix) as one, worker(store_url, prefix) as other:
        here = one.open(path="/1", section="news", show="page,section")
        there = other.open(path="/1", section="news", show="page")
        elsewhere = other.open(path="/2", section="news", show="page")
        plain = one.open(path="/2", section="sport")
        await until(lambda: here.told("page").get("online") == there.told("page").get("online") == 2)
        await until(lambda: elsewhere.told("page").get("online") == 2)
        await until(lambda: here.told("section").get("online") == 3)
        assert here.told("page").keys() == {"type", "scope", "path", "online", "as_of", "stale"}
        assert (here.told("page")["path"], here.told("section")["section"]) == ("/1", "news")
        assert not plain.told("page")
        assert not there.told("section")
        other.close(there)
        await until(lambda: here.told("page")["online"] == 1)


async def test_a_reader_with_two_tabs_on_two_workers_is_one_on_each_page(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix) as one, worker(store_url, prefix) as other:
        tab = one.open(path="/1", section="news", show="section,page")
        same = other.open(tab.token, path="/1", section="news")
        second = other.open(tab.token, path="/2", section="news", show="page")
        other.open(path="/2", section="news")
        await until(lambda: second.told("page").get("online") == 2)
        await until(lambda: tab.told("section").get("online") == 2)
        assert tab.told("page")["online"] == 1
        # The page is left by one of its tabs only.
        one.close(tab)
        counts = other.ledger.figures.counts
        watching = other.open(path="/1", section="news", show="page")
        await until(lambda: watching.told("page").get("online") == 2)
        await until(lambda: other.ledger.figures.counts > counts + 2 * BRISK.grace_seconds / BRISK.count_seconds)
        assert watching.told("page")["online"] == 2
        other.close(same)
        await until(lambda: watching.told("page")["online"] == 1)


async def test_who_has_answered_is_told_what_is_known_of_the_scopes_asked_for(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        first = one.open(path="/1", show="page,states,nonsense")
        assert [frame["scope"] for frame in first.heard] == ["states", "page"]
        assert first.told("page")["online"] is None
        await until(lambda: first.told("page").get("online") == 1)
        assert one.open(path="/1", show="page").told("page")["online"] == 2
        assert not one.open(path="/1").heard
        assert not one.greet(path="/1", show="page").heard


async def test_who_comes_between_two_pushes_is_set_right_by_the_next(valkey_url: str, prefix: str) -> None:
    """Found by `python -m tests.truth --seed 201`: told a number that was never pushed, and then nothing any more when
    the count went back to what the others had been told before."""
    async with worker(valkey_url, prefix) as one:
        here = one.open(path="/1", section="news", show="page,states")
        await until(lambda: here.told("page").get("online") == here.told("states").get("reading") == 1)
        place = one.holding.places.get("page", "/1")
        assert place is not None
        # Counted, and not pushed yet.
        place.online, one.holding.gauge.states = 7, States(7, 0, 0)
        late = one.open(here.token, path="/1", section="news", show="page,states")
        assert [(frame["scope"], frame.get("online", frame.get("reading"))) for frame in late.heard[:2]] == [
            ("states", 7),
            ("page", 7),
        ]
        await until(lambda: late.told("page").get("online") == late.told("states").get("reading") == 1)


async def test_a_move_takes_the_reader_along_without_a_new_connection(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        old = one.open(path="/1", section="news", show="page,section")
        new = one.open(path="/2", section="sport", show="page,section")
        tab = one.open(path="/1", section="news")
        await until(lambda: old.told("page").get("online") == 2)
        one.move(tab, "/2", "sport", show="page")
        await until(lambda: new.told("page").get("online") == new.told("section").get("online") == 2)
        await until(lambda: old.told("page")["online"] == old.told("section")["online"] == 1)
        await until(lambda: tab.told("page").get("online") == 2)
        assert one.presence.count("demo").online == 3
        one.move(tab, "/3", "sport")
        await until(lambda: tab.told("page") == {**tab.told("page"), "path": "/3", "online": 1})


async def test_a_garbage_path_is_counted_for_the_site_only(valkey: Redis, valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        one.open(path="", section="", show="page,section")
        await until(lambda: one.online == 1)
        assert len(one.holding.places) == 0
        assert [key async for key in valkey.scan_iter(f"{prefix}:presence:{{*}}:page:*")] == []


async def test_made_up_pages_beyond_the_limit_are_counted_for_the_site_only(
    valkey: Redis, valkey_url: str, prefix: str
) -> None:
    # Places that nobody forgets while the machine stands still for a moment.
    async with worker(valkey_url, prefix, settings=msgspec.structs.replace(BRISK, lease_seconds=3600)) as one:
        one.holding.places._most = 20
        tab = one.open(path="/start")
        for number in range(500):
            one.move(tab, f"/{number}", show="page")
            if number % 50 == 0:
                await until(lambda: not one.holding._joins)
        reader = one.open(path="/start", show="page")
        await until(lambda: one.online == 2)
        await until(lambda: reader.told("page").get("online") == 1)
        keys = [key async for key in valkey.scan_iter(f"{prefix}:presence:{{*}}:page:*")]
        assert len(keys) <= 20 == len(one.holding.places)
        assert one.holding.places.refused >= 480


# -- what they do


async def test_states_are_of_readers_not_of_tabs(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix) as one, worker(store_url, prefix) as other:
        first = one.open(state="reading", show="states")
        other.open(first.token, state="background")
        other.open(state="idle")
        other.open(state="background")
        await until(lambda: one.states == other.states == (1, 1, 1))
        await until(lambda: first.told("states").get("idle") == 1)
        told = first.told("states")
        assert (told["reading"], told["idle"], told["background"]) == (1, 1, 1)


async def test_who_turns_away_and_back_is_seen_to(store_url: str, prefix: str) -> None:
    # A lease that does not lapse on a machine that stands still for a moment.
    settings = msgspec.structs.replace(BRISK, lease_seconds=3600)
    async with (
        worker(store_url, prefix, settings=settings) as one,
        worker(store_url, prefix, settings=settings) as other,
    ):
        tab = one.open()
        other.open(tab.token, state="background")
        shown = set()
        await until(lambda: other.states == (1, 0, 0))
        one.turn(tab, "idle")
        await until(lambda: bool(shown.add(other.online)) or other.states == (0, 1, 0))
        one.turn(tab, "reading")
        await until(lambda: bool(shown.add(other.online)) or other.states == (1, 0, 0))
        one.turn(tab, "background")
        await until(lambda: bool(shown.add(other.online)) or other.states == (0, 0, 1))
        assert shown == {1}, "turning away is no departure"


async def test_one_that_another_worker_holds_reading_stays_reading(store_url: str, prefix: str) -> None:
    # A lease that does not lapse on a machine that stands still for a moment. What another worker holds no more is seen
    # by the grace, which is as short as ever.
    settings = msgspec.structs.replace(BRISK, lease_seconds=3600)
    async with (
        worker(store_url, prefix, settings=settings) as one,
        worker(store_url, prefix, settings=settings) as other,
    ):
        tab = one.open(state="reading")
        for _ in range(3):
            other.open(tab.token, state="background")
        await until(lambda: other.states == (1, 0, 0))
        counts = other.ledger.figures.counts
        await until(lambda: other.ledger.figures.counts > counts + 3 * BRISK.grace_seconds / BRISK.count_seconds)
        assert other.online == 1
        await until(lambda: other.states == (1, 0, 0))
        # The reading tab goes without a word: the others are what is left.
        await one.stop()
        await until(lambda: other.states == (0, 0, 1))


# -- tabs that share a connection


def tabs(tab: Tab) -> dict[str, RosterTab]:
    own = tab.reader
    assert isinstance(own, RosterTab)
    return own.others or {}


async def test_tabs_that_share_a_connection_are_one_reader_on_many_pages(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(path="/1", show="page")
        one.move(tab, "/2", "news", tab="k2", show="page,section")
        one.move(tab, "/2", "news", tab="k3", show="page")
        other = one.open(path="/2", section="news", show="page,section")
        await until(lambda: other.told("page").get("online") == other.told("section").get("online") == 2)
        await until(lambda: {frame.get("path") for frame in tab.heard} >= {"/1", "/2"})
        assert one.presence.count("demo").online == 2
        assert one.hub.total == 2
        # One of two on the page goes, then the other.
        one.gone(tab, "k2")
        one.gone(tab, "k2")
        one.gone(tab, "never")
        counts = one.ledger.figures.counts
        await until(lambda: one.ledger.figures.counts > counts + 15)
        assert other.told("page")["online"] == 2
        one.gone(tab, "k3")
        await until(lambda: other.told("page")["online"] == other.told("section")["online"] == 1)
        assert (tab.path, one.presence.count("demo").online) == ("/1", 2)


async def test_what_a_tab_does_is_its_own(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(state="background")
        await until(lambda: one.states == (0, 0, 1))
        one.move(tab, "/2", tab="k2")
        one.turn(tab, "reading", tab="k2")
        await until(lambda: one.states == (1, 0, 0))
        one.turn(tab, "reading", tab="nobody")
        one.gone(tab, "k2")
        await until(lambda: one.states == (0, 0, 1))


async def test_a_connection_takes_its_tabs_along(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(path="/1", show="page,states")
        one.move(tab, "/2", tab="k2", show="page,states")
        assert one.holding.watchers == 4
        await until(lambda: one.online == 1)
        one.close(tab)
        assert (len(one.holding.roster), one.holding.watchers, one.hub._channels) == (0, 0, {})
        assert all(place.readers == 0 for place in one.holding.places)
        await until(lambda: one.online == 0)


async def test_no_more_tabs_share_a_connection_than_may(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open()
        for number in range(3 * TABS):
            one.move(tab, f"/{number}", tab=f"t{number}")
        for name in ("", "a b", "x" * 17, "é"):
            one.move(tab, "/x", tab=name)
        assert len(tabs(tab)) == TABS - 1
        assert (tab.path, len(one.holding.roster)) == ("/", 1)


async def test_who_only_watches_has_no_tabs_and_no_place(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        watching = one.open(watching=True, path="/1", show="page")
        one.move(watching, "/2", tab="k2")
        one.turn(watching, "idle")
        one.gone(watching, "k2")
        assert (watching.reader, len(one.holding.places)) == (None, 0)


async def test_who_reads_slowly_is_told_all_its_numbers_when_it_reads_again(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        slow = one.open(path="/1", show="page,states")
        await until(lambda: slow.told("page").get("online") == 1 and slow.told("states").get("reading") == 1)
        slow.paused_at = 1.0
        quick = one.open(path="/1", show="page,states")
        await until(lambda: quick.told("page").get("online") == 2 and quick.told("states").get("reading") == 2)
        assert slow.told("page")["online"] == 1
        slow.paused_at = 0.0
        await until(lambda: slow.told("page")["online"] == 2 and slow.told("states")["reading"] == 2)


async def test_a_kind_of_place_that_is_not_counted_has_no_number(valkey_url: str, prefix: str) -> None:
    settings = msgspec.structs.replace(BRISK, scopes=["section"])
    async with worker(valkey_url, prefix, settings=settings) as one:
        one.open(path="/1", section="news")
        enquiry = Enquiry(one.ledger, one.leases.holdings, lambda: one.presence.epoch, BRISK.count_seconds)
        assert await enquiry.readers("demo", "section", "news") == 1
        # None are not known to be none.
        assert await enquiry.readers("demo", "page", "/1") is None
