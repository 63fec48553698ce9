from __future__ import annotations

import asyncio
from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.actor import Principal
from notifications.cap import message
from notifications.cap.faults import IdentityReused, NotCap, TakenElsewhere
from notifications.cap.index import Claim
from notifications.cap.intake import Taken
from notifications.cap.making import Plan
from notifications.cap.values import written
from notifications.editorial import Editorial
from notifications.errors import ActionRefused, Forbidden, OutcomeUnknown, TooManyActive
from tests.notifications.cap.files import SENDER, alert, cancel, info, update
from tests.notifications.cap.service import Desk, principal
from tests.notifications.conftest import SETTINGS

BY = principal()


@pytest.fixture
def desk(redis: Redis, prefix: str) -> Desk:
    """What acts, on both servers."""
    return Desk(redis, prefix)


async def take(desk: Desk, data: bytes, by: Principal = BY, site: str = "demo") -> Taken:
    """Takes a file in."""
    return await desk.intake.take(message.read(data), site, by)


async def soon(desk: Desk, seconds: int = 3600) -> str:
    """A time after now, by the store's clock."""
    return written(await desk.index.now_ms() + seconds * 1000)


async def test_alert_update_cancel_are_one_announcement(desk: Desk) -> None:
    first = (await take(desk, alert(info(severity="Moderate", urgency="Expected")))).outcome
    assert (first.done, first.revision, first.status) == ("created", 1, "live")
    second = (await take(desk, update())).outcome
    assert (second.done, second.id, second.revision) == ("updated", first.id, 2)
    (one,) = await desk.all()
    assert one.severity == "emergency"
    # It has become more urgent: who has dismissed it sees it again.
    assert one.again == 2
    assert one.cap is not None
    assert one.cap.identifier == "VN-8"
    third = (await take(desk, cancel())).outcome
    assert (third.done, third.id, third.revision, third.status) == ("recalled", first.id, 3, "recalled")
    assert third.why == "Lũ lên nhanh"


async def test_an_update_that_is_no_more_urgent_is_not_shown_again(desk: Desk) -> None:
    await take(desk, alert())
    await take(desk, update())
    (one,) = await desk.all()
    assert (one.revision, one.again) == (2, 1)


async def test_the_newest_reference_that_is_known_counts(desk: Desk) -> None:
    await take(desk, alert())
    early = f"{SENDER},VN-7,2026-11-23T04:25:16-00:00"
    other = (await take(desk, alert(identifier="VN-70", sent="2026-11-24T00:00:00-00:00"))).outcome
    late = f"{SENDER},VN-70,2026-11-24T07:00:00+07:00"
    unknown = f"{SENDER},VN-71,2026-11-25T00:00:00-00:00"
    assert (await take(desk, update(f"{early} {unknown} {late}"))).outcome.id == other.id


async def test_an_update_of_an_update_finds_the_announcement(desk: Desk) -> None:
    first = (await take(desk, alert())).outcome
    await take(desk, update())
    after = update(f"{SENDER},VN-8,2026-11-23T04:25:16-00:00", identifier="VN-10")
    assert (await take(desk, after)).outcome.id == first.id


@pytest.mark.parametrize("data", [update(), cancel()])
async def test_an_unknown_reference_is_refused_and_nothing_is_stored(
    desk: Desk, data: bytes, redis: Redis, prefix: str
) -> None:
    # Known on another site is not known here.
    await take(desk, alert(), site="tinh")
    before = sorted([key async for key in redis.scan_iter(f"{prefix}*")])
    with pytest.raises(NotCap) as caught:
        await take(desk, data)
    (fault,) = caught.value.faults
    assert (fault.line, fault.element) == (9, "alert/references")
    assert fault.what == "unknown reference: nothing that `references` names is known on demo"
    assert sorted([key async for key in redis.scan_iter(f"{prefix}*")]) == before


async def test_a_repeated_message_gets_the_first_answer(desk: Desk) -> None:
    first = await take(desk, alert())
    await take(desk, update())
    again = await take(desk, alert().replace(b"+07:00", b"+07:00 "))
    assert again.replayed
    assert again.outcome == first.outcome
    # Also from somebody else.
    assert (await take(desk, alert(), principal("another"))).outcome == first.outcome
    assert (await take(desk, cancel())).outcome == (await take(desk, cancel())).outcome
    assert len(await desk.all()) == 1


async def test_sent_many_times_at_once_it_is_one(desk: Desk) -> None:
    taken = await asyncio.gather(*[take(desk, alert()) for _ in range(8)])
    assert len({one.outcome.id for one in taken}) == 1
    assert len(await desk.all()) == 1
    assert sum(not one.replayed for one in taken) <= 1


async def test_one_that_got_no_answer_is_decided_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Editorial.create
    later = await soon(desk)

    async def lost(self: Editorial, *arguments: object, **options: object) -> object:
        await real(self, *arguments, **options)  # type: ignore[arg-type]
        raise OutcomeUnknown("the store went away")

    data = alert(info(headline=None, effective=later))
    monkeypatch.setattr(Editorial, "create", lost)
    with pytest.raises(OutcomeUnknown):
        await take(desk, data)
    monkeypatch.setattr(Editorial, "create", real)
    # As if it had become effective meanwhile.
    known = await desk.index.find("demo", message.read(data).identity)
    assert known is not None
    assert known.outcome is None
    taken = await take(desk, data)
    assert (taken.replayed, taken.outcome.done, taken.outcome.status) == (True, "created", "scheduled")
    assert len(await desk.all()) == 1


async def test_what_another_has_done_and_not_said_is_found(desk: Desk) -> None:
    # As if it had ended between the act and writing down what came of it.
    for data in (alert(), update()):
        read = message.read(data)
        decided = await desk.intake._decide(read, "demo", principal("another"))
        first = (await take(desk, data, principal("another"))).outcome
        await desk.index.release("demo", read.identity)
        await desk.index.claim("demo", read.identity, replace(decided, at_ms=decided.at_ms - 61_000))
        taken = await take(desk, data)
        assert taken.replayed
        assert (taken.outcome.done, taken.outcome.id) == (first.done, first.id)
        assert taken.outcome.revision == first.revision
    (one,) = await desk.all()
    assert one.revision == 2


async def test_another_message_under_its_name_is_refused(desk: Desk) -> None:
    await take(desk, alert())
    with pytest.raises(IdentityReused, match="VN-7"):
        await take(desk, alert(info(headline="Hết lũ")))
    assert [one.title for one in await desk.all()] == ["Lũ lên nhanh"]


async def test_while_somebody_else_sends_it_one_waits(desk: Desk) -> None:
    read = message.read(alert())
    claim = Claim(owner="another", at_ms=await desk.index.now_ms(), digest=read.digest, plan=Plan(act="create"))
    await desk.index.claim("demo", read.identity, claim)
    with pytest.raises(TakenElsewhere):
        await take(desk, alert())
    # Nobody waits for ever for one who has gone.
    await desk.index.release("demo", read.identity)
    (draft,) = [(await desk.intake._decide(read, "demo", BY)).plan]
    await desk.index.claim("demo", read.identity, replace(claim, at_ms=claim.at_ms - 61_000, plan=draft))
    assert (await take(desk, alert())).outcome.done == "created"


async def test_a_test_changes_nothing_that_is_in_earnest(desk: Desk) -> None:
    await take(desk, alert())
    for data in (update(status="Test"), cancel(status="Exercise")):
        with pytest.raises(NotCap, match="neither changes the other"):
            await take(desk, data)
    (one,) = await desk.all()
    assert (one.status, one.revision, one.test) == ("live", 1, False)


async def test_a_test_is_one_and_may_change_a_test(desk: Desk) -> None:
    await take(desk, alert(status="Exercise"))
    (one,) = await desk.all()
    assert one.test
    assert (await take(desk, update(status="Test"))).outcome.done == "updated"
    with pytest.raises(NotCap, match="neither changes the other"):
        await take(desk, cancel())


async def test_a_draft_stays_one_until_it_is_sent(desk: Desk) -> None:
    first = (await take(desk, alert(status="Draft"))).outcome
    assert (first.done, first.status) == ("created", "draft")
    sent = (await take(desk, update())).outcome
    assert (sent.done, sent.id, sent.status) == ("updated", first.id, "live")


async def test_what_becomes_effective_later_is_scheduled_changed_and_discarded(desk: Desk) -> None:
    data = alert(info(headline=None, effective=await soon(desk)))
    first = (await take(desk, data)).outcome
    assert first.status == "scheduled"
    moved = info(headline="Bão", effective=await soon(desk, 7200))
    second = (await take(desk, update(f"{SENDER},VN-7,2026-11-23T04:25:16-00:00", moved))).outcome
    assert (second.done, second.id, second.status) == ("updated", first.id, "scheduled")
    (one,) = await desk.all()
    assert one.title == "Bão"
    assert one.starts_ms > await desk.index.now_ms() + 7_000_000
    third = (await take(desk, cancel())).outcome
    assert (third.done, third.status) == ("discarded", "discarded")
    fourth = (await take(desk, cancel(identifier="VN-11"))).outcome
    assert (fourth.done, fourth.why) == ("ignored", "what it cancels is discarded already")


async def test_an_update_at_once_sends_what_was_scheduled(desk: Desk) -> None:
    await take(desk, alert(info(headline=None, effective=await soon(desk))))
    assert (await take(desk, update())).outcome.status == "live"


async def test_an_update_that_has_expired_takes_back(desk: Desk) -> None:
    await take(desk, alert())
    over = update(f"{SENDER},VN-7,2026-11-23T04:25:16-00:00", info(headline=None, expires=await soon(desk, -60)))
    taken = (await take(desk, over)).outcome
    assert (taken.done, taken.why) == ("recalled", "the update says that it has expired")


async def test_what_people_took_back_stays_so(desk: Desk) -> None:
    first = (await take(desk, alert())).outcome
    await desk.editorial.recall(first.id, "false", by=principal("somebody"))
    with pytest.raises(ActionRefused):
        await take(desk, update())
    assert len(await desk.all()) == 1
    assert (await take(desk, cancel())).outcome.done == "recalled"


@pytest.mark.slow
async def test_an_update_of_what_has_expired_is_told_as_new(desk: Desk, redis: Redis, prefix: str) -> None:
    first = (await take(desk, alert())).outcome
    # As the store holds one whose hour has passed.
    (one,) = await desk.all()
    over = replace(one, expires_ms=one.published_ms + 1)
    await redis.hset(f"{prefix}:{{announcements}}:state", one.id, msgspec.json.encode(over))  # type: ignore[misc]
    second = (await take(desk, update())).outcome
    assert second.done == "created"
    assert second.id != first.id
    assert second.why == "what it updates has expired, so it is told as new"
    assert (await take(desk, cancel(f"{SENDER},VN-8,2026-11-23T04:25:16-00:00"))).outcome.id == second.id


async def test_what_is_ignored_leaves_nothing_behind(desk: Desk, redis: Redis, prefix: str) -> None:
    taken = await take(desk, alert(status="System"))
    assert (taken.outcome.done, taken.outcome.id, taken.publication) == ("ignored", "", None)
    assert [key async for key in redis.scan_iter(f"{prefix}*")] == []


@pytest.mark.parametrize("by", [principal(role="viewer"), principal(role="operator"), principal(site="tinh")])
async def test_it_takes_the_right_to_send(desk: Desk, by: Principal) -> None:
    with pytest.raises(Forbidden, match="the right to write on demo"):
        await take(desk, alert(), by)
    assert await desk.all() == []


async def test_what_needs_approval_waits_for_it(redis: Redis, prefix: str) -> None:
    desk = Desk(redis, prefix, replace(SETTINGS, approvals=["demo/emergency 1"]))
    first = (await take(desk, alert())).outcome
    assert (first.done, first.status) == ("waiting", "waiting")
    assert "approve" in first.why
    assert (await take(desk, alert())).outcome == first
    boss = principal("boss", "approver")
    await desk.editorial.approve(first.id, by=boss)
    await desk.editorial.send(first.id, by=boss)
    # An update of what is live waits beside it, and says so.
    second = (await take(desk, update())).outcome
    assert second.done == "waiting"
    assert f"when it is sent, recall {first.id}" in second.why
    assert [one.status for one in await desk.all()] == ["live", "waiting"]
    # To take back waits for nobody.
    assert (await take(desk, cancel())).outcome.done == "recalled"


async def test_what_waits_is_changed_and_waits_on(redis: Redis, prefix: str) -> None:
    desk = Desk(redis, prefix, replace(SETTINGS, approvals=["*/emergency 1"]))
    first = (await take(desk, alert())).outcome
    second = (await take(desk, update())).outcome
    assert (second.done, second.id, second.status) == ("waiting", first.id, "waiting")
    # A test needs none.
    assert (await take(desk, alert(identifier="VN-20", status="Test"))).outcome.status == "live"


async def test_what_could_not_be_done_may_be_tried_again(redis: Redis, prefix: str) -> None:
    desk = Desk(redis, prefix, replace(SETTINGS, max_active=1))
    first = (await take(desk, alert())).outcome
    other = alert(identifier="VN-30")
    with pytest.raises(TooManyActive):
        await take(desk, other)
    await desk.editorial.recall(first.id, by=BY)
    taken = await take(desk, other)
    assert (taken.outcome.done, taken.replayed) == ("created", False)


async def test_each_act_is_in_the_trail_under_whose_token_it_was(desk: Desk) -> None:
    await take(desk, alert())
    await take(desk, update())
    await take(desk, cancel())
    entries = [msgspec.json.decode(line.entry) async for line in desk.trail.lines()]
    assert [entry["act"] for entry in entries] == ["publish", "update", "recall"]
    assert all(later["seq"] == earlier["seq"] + 1 for earlier, later in pairwise(entries))


async def test_what_is_remembered_ends(desk: Desk, redis: Redis, prefix: str) -> None:
    await take(desk, alert())
    (key,) = [key async for key in redis.scan_iter(f"{prefix}:{{announcements}}:cap:*")]
    assert 0 < await redis.ttl(key) <= 3600
