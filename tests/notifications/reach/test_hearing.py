from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from notifications.announcement import Announcement
from notifications.reach.hearing import LATE_MS, MOST_HEARD, Hearing, Said
from notifications.reach.outbox import Entry
from notifications.reach.sums import Sums, decode
from tests.notifications.making import NOW_MS, announcement

KEY = b"k" * 32


class Session:
    """As far as a hearing looks."""

    def __init__(self, site: str = "demo", told: int = 0) -> None:
        self.site = site
        self.told: object = told


def listening(*told: Announcement, connected: int = 2) -> Hearing:
    heard = Hearing(KEY, "run")
    for number, one in enumerate(told, 1):
        heard.told(one, number, connected, NOW_MS)
    return heard


def ack(
    heard: Hearing, session: Session, *said: Any, reader: bytes | None = b"reader", after_ms: int = 100, **members: Any
) -> bool:
    """Says that it was rendered, or what else is said."""
    wanted = {"id": "a", "revision": 1, "did": "rendered", **dict(zip(Said._fields, said, strict=False)), **members}
    return heard.ack(session, reader, Said(**wanted), NOW_MS + after_ms)


def ignored(heard: Hearing) -> dict[str, int]:
    return {why: number for why, number in heard.ignored.items() if number}


def sums(entries: Iterable[Entry], revision: int = 1) -> Sums:
    (entry,) = entries
    return decode(entry.payload)[revision]


def acknowledge(heard: Hearing, now_ms: int = NOW_MS) -> list[Entry]:
    """The store takes whatever it is told."""
    entries = heard.outbox.take(now_ms)
    heard.outbox.done(entries, [one.number - 1 for one in entries], now_ms)
    return entries


def test_sums_are_told_and_names_of_readers() -> None:
    heard = listening(announcement())
    heard.delivered(announcement(), 2)
    heard.greeted({("a", 1): 3, ("never told", 1): 4, ("a", 9): 5})
    ack(heard, Session())
    ack(heard, Session(), did="clicked")
    (entry,) = heard.outbox.take(NOW_MS)
    assert (entry.id, entry.field, entry.number, entry.news) == ("a", "run.1", 1, True)
    assert entry.ends_ms == NOW_MS + 3_600_000
    told = sums([entry])
    assert (told.connected, told.received, told.greeted, sum(told.took.values())) == (2, 2, 3, 1)
    assert entry.names["rendered"] == entry.names["clicked"]
    assert heard.taken == 2


def test_nothing_is_told_without_news() -> None:
    heard = listening(announcement(), connected=0)
    heard.delivered(announcement(), 0)
    assert heard.outbox.idle
    assert heard.outbox.take(NOW_MS) == []


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("unknown", {"id": "b"}),
        ("unknown", {"id": ""}),
        ("revision", {"revision": 2}),
        ("revision", {"revision": -1}),
        ("deed", {"did": "shared"}),
        ("deed", {"did": ""}),
        ("apart", {"reader": None}),
    ],
)
def test_what_does_not_fit_is_ignored_and_counted(why: str, said: dict[str, Any]) -> None:
    heard = listening(announcement(), connected=0)
    session = Session()
    assert not ack(heard, session, **said)
    assert ignored(heard) == {why: 1}
    assert (heard.taken, heard.outbox.take(NOW_MS), len(heard)) == (0, [], 1)
    assert session.told == 0, "such a session costs no memory"


def test_a_session_of_another_site_says_nothing() -> None:
    heard = listening(announcement(sites=("demo", "tinh")))
    assert ack(heard, Session("tinh"))
    assert not ack(heard, Session("huyen"))
    assert ignored(heard) == {"site": 1}


def test_a_deed_counts_once_from_a_session_and_revision() -> None:
    heard = listening(announcement())
    session = Session()
    assert ack(heard, session)
    assert not ack(heard, session)
    assert ack(heard, session, did="dismissed")
    heard.told(announcement("a", 2), 2, 2, NOW_MS)
    assert ack(heard, session, revision=2)
    assert not ack(heard, session, revision=2)
    assert ignored(heard) == {"again": 2}
    (entry,) = heard.outbox.take(NOW_MS)
    assert {deed: len(names) for deed, names in entry.names.items()} == {"rendered": 1, "dismissed": 1}


def test_what_was_shown_until_half_a_minute_ago_still_counts() -> None:
    heard = listening(announcement())
    heard.told(announcement("a", 2, status="recalled"), 2, 2, NOW_MS + 1000)
    assert ack(heard, Session(), after_ms=1000 + LATE_MS)
    assert not ack(heard, Session(), after_ms=1001 + LATE_MS)
    assert not ack(heard, Session(), revision=2)
    assert ignored(heard) == {"revision": 2}


def test_an_announcement_is_given_up_when_it_is_over_and_all_is_told() -> None:
    heard = listening(announcement(), announcement("b"), announcement("c"))
    heard.told(announcement("b", 2, status="recalled"), 4, 2, NOW_MS)
    heard.told(announcement("c", 2, updated_ms=NOW_MS + 500), 5, 2, NOW_MS)
    heard.forget(NOW_MS + LATE_MS + 1)
    assert len(heard) == 3, "what is not written yet stays"
    acknowledge(heard)
    heard.forget(NOW_MS + LATE_MS + 1)
    assert len(heard) == 2
    assert not ack(heard, Session(), "c", 1)
    assert ack(heard, Session(), "c", 2)
    acknowledge(heard)
    heard.forget(NOW_MS + 3_600_000 + LATE_MS + 1)
    assert len(heard) == 0


def test_a_session_that_came_later_says_nothing_of_how_fast_it_went() -> None:
    heard = listening(announcement(), announcement("b"))
    assert ack(heard, Session(told=1), "a")
    assert ack(heard, Session(told=1), "b")
    first, second = heard.outbox.take(NOW_MS)
    assert (sums([first]).took, len(first.names["rendered"])) == ({}, 1)
    assert sum(sums([second]).took.values()) == 1


@pytest.mark.parametrize(
    ("waited", "after_ms", "second"), [(0, 4500, 4), (4000, 4500, 0), (-9000, 4500, 4), (10**12, 20_000, 5)]
)
def test_what_a_browser_waited_is_taken_off_and_not_believed_beyond_15_seconds(
    waited: int, after_ms: int, second: int
) -> None:
    heard = listening(announcement())
    ack(heard, Session(), waited_ms=waited, after_ms=after_ms)
    assert sums(heard.outbox.take(NOW_MS)).seconds == {second: 1}


def test_a_clock_that_is_behind_makes_no_time_below_zero() -> None:
    heard = listening(announcement())
    ack(heard, Session(), after_ms=-300)
    assert sums(heard.outbox.take(NOW_MS)).took == {0: 1}


def test_names_of_one_reader_cannot_be_linked_between_announcements() -> None:
    heard = listening(announcement(), announcement("b"))
    session = Session()
    ack(heard, session, "a")
    ack(heard, session, "b")
    first, second = (one.names["rendered"] for one in heard.outbox.take(NOW_MS))
    assert {len(name) for name in first | second} == {8}
    assert not first & second


def test_all_workers_with_the_key_and_nobody_else_give_the_same_name() -> None:
    names = []
    for key in (KEY, KEY, b"x" * 32):
        heard = Hearing(key, "run")
        heard.told(announcement(), 1, 0, NOW_MS)
        ack(heard, Session())
        names += heard.outbox.take(NOW_MS)[0].names["rendered"]
    assert names[0] == names[1] != names[2]


def test_a_session_may_answer_only_so_many_announcements_at_a_time() -> None:
    many = [announcement(f"id-{number}") for number in range(MOST_HEARD + 1)]
    heard = listening(*many)
    session = Session()
    assert [ack(heard, session, one.id) for one in many].count(True) == MOST_HEARD
    assert ignored(heard) == {"many": 1}
    assert ack(heard, session, "id-0", did="clicked"), "of one that it has answered it may say more"
    # Those that are over make room.
    while acknowledge(heard):
        pass
    heard.told(announcement("id-0", 2, status="recalled"), 99, 0, NOW_MS)
    heard.forget(NOW_MS + LATE_MS + 1)
    assert ack(heard, session, many[-1].id)


def test_an_older_revision_that_comes_late_and_one_told_twice_change_nothing() -> None:
    heard = listening(announcement("a", 2))
    heard.told(announcement("a", 2), 2, 2, NOW_MS)
    heard.told(announcement("a", 1), 3, 2, NOW_MS)
    assert ack(heard, Session(), revision=2)
    assert not ack(heard, Session(), revision=1)
    assert sums(heard.outbox.take(NOW_MS), 2).connected == 2


def test_only_the_newest_revisions_are_kept() -> None:
    heard = listening(*[announcement("a", revision) for revision in range(1, 20)])
    (entry,) = heard.outbox.take(NOW_MS)
    assert [*decode(entry.payload)] == [*range(12, 20)]
