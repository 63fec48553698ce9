"""What is delivered next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notifications.webhooks.board import Board, Waiting, first, followed
from notifications.webhooks.event import Happening, expiry
from notifications.webhooks.webhook import EVENTS, Event, Secret, Webhook
from tests.notifications.making import announcement

NOW_MS = 1_000_000


def webhook(id: str = "wh1", **members: object) -> Webhook:
    usual: dict[str, object] = {
        "url": "https://chat.example.vn/loa",
        "sites": (),
        "events": EVENTS,
        "secrets": (Secret(text="whsec_AAAA"),),
        "created_ms": 1,
    }
    return Webhook(id=id, **{**usual, **members})  # type: ignore[arg-type]


def waiting(announcement: str, at_ms: int, due_ms: int) -> Waiting:
    return Waiting(announcement=announcement, event="announcement.updated", at_ms=at_ms, due_ms=due_ms)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), min_size=1, max_size=12))
def test_next_is_the_first_of_its_announcement_and_the_one_due_soonest(found: list[tuple[str, int]]) -> None:
    all = {f"{place}-0": waiting(one, place, due) for place, (one, due) in enumerate(found)}
    (next,) = Board({"wh1": webhook()}, {}, {"wh1": dict(reversed(all.items()))}).next({}, NOW_MS)
    earlier = [one for id, one in all.items() if one.at_ms < next.waiting.at_ms]
    assert all_other(next.waiting.announcement, earlier)
    heads = {one.announcement: one for one in reversed(all.values())}
    assert next.waiting.due_ms == min(one.due_ms for one in heads.values())


def all_other(announcement: str, waiting: list[Waiting]) -> bool:
    return all(one.announcement != announcement for one in waiting)


def test_one_at_a_time_goes_to_a_webhook_and_none_to_one_that_is_held() -> None:
    webhooks = {id: webhook(id) for id in ("wh1", "wh2", "wh3")}
    board = Board(webhooks, {}, {id: {f"{place}-0": waiting("a", 1, place)} for place, id in enumerate(webhooks)})
    assert [one.webhook.id for one in board.next({}, NOW_MS)] == ["wh1", "wh2", "wh3"]
    board.held_ms["wh3"] = NOW_MS + 1
    assert [one.webhook.id for one in board.next({"wh1": None}, NOW_MS)] == ["wh2"]
    assert [one.webhook.id for one in board.next({}, NOW_MS + 1)] == ["wh1", "wh2", "wh3"]


def test_the_oldest_is_what_happened_first_whenever_it_is_due() -> None:
    board = Board({"wh1": webhook()}, {}, {"wh1": {"1-0": waiting("a", 5, 99), "2-0": waiting("b", 7, 8)}})
    assert board.oldest_ms == 5
    board.drop("wh1", "1-0")
    assert board.oldest_ms == 7
    board.forget("wh1")
    board.keep("wh1", "3-0", waiting("c", 1, 1))
    assert (board.oldest_ms, board.next({}, NOW_MS)) == (0, [])


def happened(event: Event, **members: object) -> Happening:
    return Happening("5-0", 5, event, announcement(**members))  # type: ignore[arg-type]


def test_tells_only_of_what_it_is_about() -> None:
    live = happened("announcement.live", sites=("demo", "tinh"))
    assert [*first([live], webhook())] == ["5-0"]
    assert [*first([live], webhook(sites=("tinh",)))] == ["5-0"]
    assert not first([live], webhook(sites=("khac",)))
    assert not first([live], webhook(events=("announcement.recalled",)))
    test = happened("announcement.live", test=True)
    assert not first([test], webhook())
    assert first([test], webhook(tests=True))


def test_follows_to_its_end_what_is_live_and_no_more_what_was_recalled() -> None:
    live = happened("announcement.live")
    recalled = happened("announcement.recalled", status="recalled")
    waits = happened("announcement.submitted", status="waiting")
    assert followed([live], webhook()) == {"a": live.announcement.expires_ms}
    assert followed([live, recalled], webhook()) == {"a": None}
    assert followed([waits], webhook()) == {}
    assert followed([live], webhook(events=("announcement.live",))) == {}


def test_the_id_of_a_message_is_that_of_nothing_else() -> None:
    live = happened("announcement.live")
    same = happened("announcement.live")
    corrected = replace(live.announcement, revision=2)
    ids = [live.message_id, Happening("6-0", 5, "announcement.updated", corrected).message_id]
    assert live.message_id == same.message_id
    assert len({*ids, expiry(live.announcement).message_id, expiry(corrected).message_id}) == 4
    assert all("." not in id and len(id) < 100 for id in ids)
