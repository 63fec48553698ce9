from __future__ import annotations

import pytest

from notifications.reach import outbox
from tests.notifications.making import NOW_MS, announcement
from tests.notifications.reach.test_hearing import Session, ack, acknowledge, listening, sums


def test_what_was_not_answered_is_told_again_with_what_came_meanwhile() -> None:
    heard = listening(announcement())
    ack(heard, Session(), reader=b"one")
    failed = heard.outbox.take(NOW_MS)
    heard.outbox.failed(failed)
    ack(heard, Session(), reader=b"two")
    (entry,) = heard.outbox.take(NOW_MS)
    assert (entry.number, len(entry.names["rendered"])) == (2, 2)
    assert failed[0].names["rendered"] < entry.names["rendered"]


def test_a_store_that_lost_the_end_is_told_again_what_it_lost() -> None:
    heard = listening(announcement())
    for reader in (b"one", b"two"):
        ack(heard, Session(), reader=reader)
        acknowledge(heard)
    ack(heard, Session(), reader=b"three")
    entries = heard.outbox.take(NOW_MS)
    heard.outbox.done(entries, [1], NOW_MS)
    (again,) = heard.outbox.take(NOW_MS)
    assert len(again.names["rendered"]) == 2, "the last ten seconds, except for what was just told"
    assert sum(sums([again]).took.values()) == 3


def test_ten_seconds_after_the_last_news_all_is_told_once_more() -> None:
    heard = listening(announcement())
    acknowledge(heard)
    assert heard.outbox.take(NOW_MS + outbox.KEEP_MS - 1) == []
    (settled,) = acknowledge(heard, NOW_MS + outbox.KEEP_MS)
    assert (settled.number, settled.names, settled.news) == (2, {}, False)
    assert heard.outbox.take(NOW_MS + 10 * outbox.KEEP_MS) == []


def test_more_names_than_fit_into_a_write_wait_for_the_next() -> None:
    heard = listening(announcement(), announcement("b"))
    for number in range(5):
        for id in ("a", "b"):
            ack(heard, Session(), id, reader=b"%d" % number)
    told: dict[str, set[bytes]] = {"a": set(), "b": set()}
    while entries := heard.outbox.take(NOW_MS, most=3):
        assert sum(len(names) for one in entries for names in one.names.values()) <= 3
        for one in entries:
            told[one.id] |= one.names.get("rendered", set())
        heard.outbox.done(entries, [one.number - 1 for one in entries], NOW_MS)
    assert {id: len(names) for id, names in told.items()} == {"a": 5, "b": 5}


def test_memory_ends_where_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    heard = listening(announcement())
    for number in range(5):
        assert ack(heard, Session(), reader=b"%d" % number)
    (entry,) = heard.outbox.take(NOW_MS)
    assert (len(entry.names["rendered"]), heard.outbox.dropped) == (3, 2)
    assert sum(sums([entry]).took.values()) == 5, "sums cost no more"
