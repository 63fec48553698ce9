"""Rights, approvals and the ways of an announcement, on a real Valkey and on Redis 6.2."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.announcement import Audience, Change, Text
from notifications.audit import Entry
from notifications.editorial import Editorial
from notifications.errors import (
    ActionRefused,
    ApprovedAlready,
    EndPassed,
    Forbidden,
    Invalid,
    NeedsApproval,
    NoSuchAnnouncement,
    StaleRevision,
)
from notifications.log import Log
from notifications.people.rights import ROLES
from notifications.settings import NotificationsSettings
from notifications.trail import Trail
from notifications.view import View
from tests.notifications.making import draft, person

STRICT = NotificationsSettings(approvals=["*/emergency 1", "demo/emergency 2", "demo/breaking 1"])
WRITER, FIRST, SECOND = person("an"), person("binh", "approver"), person("chi", "approver")


@pytest.fixture
def log(redis: Redis, prefix: str) -> Log:
    return Log(redis, prefix, STRICT)


@pytest.fixture
def trail(redis: Redis, prefix: str) -> Trail:
    return Trail(redis, prefix)


@pytest.fixture
def editorial(log: Log, trail: Trail) -> Editorial:
    return Editorial(log, trail)


async def told(log: Log) -> list[tuple[str, int]]:
    """What browsers have been told: status and revision of each version of the log."""
    view = View()
    view.replace(await log.snapshot())
    return [
        (entry.announcement.status, entry.announcement.revision)
        for entry in await log.tail(0)
        if entry.announcement is not None
    ]


async def acts(trail: Trail) -> list[Entry]:
    return [msgspec.json.decode(line.entry, type=Entry) async for line in trail.lines()]


async def test_goes_out_when_as_many_as_asked_for_have_approved(editorial: Editorial, log: Log, trail: Trail) -> None:
    wanted = draft(severity="emergency", texts={"en": Text(title="Flood")}, audience=Audience(sections=("thoi-su",)))
    with pytest.raises(NeedsApproval) as refused:
        await editorial.create(wanted, by=WRITER)
    assert (refused.value.needed, refused.value.given) == (2, 0)
    one = (await editorial.create(wanted, then="draft", by=WRITER)).announcement
    assert (one.status, one.revision, one.version, one.published_ms, one.expires_ms) == ("draft", 1, 0, 0, 0)
    for act in (editorial.send, editorial.schedule):
        with pytest.raises((NeedsApproval, Forbidden)):
            await act(one.id, by=FIRST)
    await editorial.submit(one.id, by=WRITER)
    assert (await editorial.approve(one.id, by=FIRST)).status == "waiting"
    with pytest.raises(ApprovedAlready, match="you have approved of it already"):
        await editorial.approve(one.id, by=FIRST)
    with pytest.raises(ActionRefused):
        await editorial.send(one.id, by=FIRST)
    approved = (await editorial.approve(one.id, by=SECOND)).announcement
    assert (approved.status, [each.owner for each in approved.approvals]) == ("approved", ["binh", "chi"])
    assert await told(log) == []
    live = (await editorial.send(one.id, by=WRITER)).announcement
    assert (live.status, live.texts, live.audience) == ("live", wanted.texts, wanted.audience)
    assert (live.again, live.expires_ms - live.published_ms) == (live.revision, 3_600_000)
    assert await told(log) == [("live", live.revision)]
    assert [entry.act for entry in await acts(trail)] == ["draft", "submit", "endorse", "approve", "send"]


async def test_nobody_approves_of_their_own_and_whoever_tries_is_written_down(
    editorial: Editorial, trail: Trail
) -> None:
    one = (await editorial.create(draft(), then="waiting", by=FIRST)).announcement
    with pytest.raises(Forbidden, match="wrote themselves"):
        await editorial.approve(one.id, by=FIRST)
    # Whoever changes the text is who wrote it.
    await editorial.change(one.id, Change(title="khác"), by=SECOND)
    await editorial.submit(one.id, by=FIRST)
    with pytest.raises(Forbidden):
        await editorial.approve(one.id, by=SECOND)
    with pytest.raises(Forbidden):
        await editorial.approve(one.id, by=WRITER)
    assert (await editorial.approve(one.id, by=FIRST)).status == "approved"
    refused = [entry for entry in await acts(trail) if entry.act == "approve.refused"]
    assert [(entry.owner, entry.id) for entry in refused] == [("binh", one.id), ("chi", one.id), ("an", one.id)]


async def test_a_token_of_one_s_own_is_no_second_person(editorial: Editorial, trail: Trail) -> None:
    themselves = person("user:an", "approver")
    token, other = (replace(person(id, "approver"), person="user:an") for id in ("4f1c09aa", "77de0b12"))
    for writer, approver in ((themselves, token), (token, themselves), (token, other)):
        one = (await editorial.create(draft(), then="waiting", by=writer)).announcement
        assert one.author == "user:an"
        with pytest.raises(Forbidden, match="wrote themselves"):
            await editorial.approve(one.id, by=approver)
    # Nor do two of theirs make two approvals.
    one = (await editorial.create(draft(severity="emergency"), then="waiting", by=WRITER)).announcement
    await editorial.approve(one.id, by=token)
    for again in (other, themselves):
        with pytest.raises(ApprovedAlready):
            await editorial.approve(one.id, by=again)
    assert [(entry.owner, entry.person) for entry in await acts(trail)][-1] == ("4f1c09aa", "user:an")


async def test_an_edit_voids_approvals_wherever_it_is_on_its_way(editorial: Editorial) -> None:
    one = (await editorial.create(draft(), then="waiting", by=WRITER)).announcement
    await editorial.approve(one.id, by=FIRST)
    assert (await editorial.schedule(one.id, 4_000_000_000_000, by=WRITER)).status == "scheduled"
    edited = (await editorial.change(one.id, Change(body="mới"), by=WRITER)).announcement
    assert (edited.status, edited.approvals, edited.starts_ms) == ("draft", (), 4_000_000_000_000)
    with pytest.raises(NeedsApproval):
        await editorial.send(one.id, by=WRITER)


async def test_what_was_approved_stays_so_off_the_schedule(editorial: Editorial) -> None:
    one = (await editorial.create(draft(), then="waiting", by=WRITER)).announcement
    await editorial.approve(one.id, by=FIRST)
    await editorial.schedule(one.id, 4_000_000_000_000, by=WRITER)
    off = (await editorial.unschedule(one.id, by=WRITER)).announcement
    assert (off.status, off.starts_ms, len(off.approvals)) == ("approved", 0, 1)
    free = (
        await editorial.create(draft(severity="info", starts_ms=4_000_000_000_000), then="scheduled", by=WRITER)
    ).announcement
    assert (await editorial.unschedule(free.id, by=WRITER)).status == "draft"


async def test_what_would_be_over_before_it_began_is_not_scheduled(editorial: Editorial) -> None:
    planned = draft(severity="info", starts_ms=1_000_000, expires_in=60)
    one = (await editorial.create(planned, then="draft", by=WRITER)).announcement
    with pytest.raises(EndPassed):
        await editorial.schedule(one.id, by=WRITER)
    assert (await editorial.get(one.id, by=WRITER)).status == "draft"
    with pytest.raises(ActionRefused, match="discard it"):
        await editorial.recall(one.id, by=WRITER)
    assert (await editorial.schedule(one.id, 4_000_000_000_000, by=WRITER)).status == "scheduled"


async def test_what_would_begin_after_its_end_is_not_scheduled(editorial: Editorial) -> None:
    """Each of two requests may be right by itself."""
    end_ms = 4_000_000_000_000
    one = (await editorial.create(draft(severity="info", ends_ms=end_ms), then="draft", by=WRITER)).announcement
    for starts_ms in (end_ms - 9_000, end_ms + 3_600_000):
        with pytest.raises(Invalid, match="never be seen"):
            await editorial.schedule(one.id, starts_ms, by=WRITER)
        with pytest.raises(Invalid, match="never be seen"):
            await editorial.change(one.id, Change(starts_ms=starts_ms), by=WRITER)
    assert (await editorial.get(one.id, by=WRITER)).announcement.revision == 1
    assert (await editorial.schedule(one.id, end_ms - 60_000, by=WRITER)).status == "scheduled"
    with pytest.raises(Invalid) as refused:
        await editorial.change(one.id, Change(ends_ms=end_ms - 59_000), by=WRITER)
    assert [wrong.pointer for wrong in refused.value.wrong] == ["/expires_at"]


async def test_returned_and_rejected_with_a_reason(editorial: Editorial) -> None:
    one = (await editorial.create(draft(), then="waiting", by=WRITER)).announcement
    returned = (await editorial.send_back(one.id, "Địa danh nào?", by=FIRST)).announcement
    assert (returned.status, returned.reason) == ("returned", "Địa danh nào?")
    await editorial.change(one.id, Change(title="Lũ sông Mã"), by=WRITER)
    again = (await editorial.submit(one.id, by=WRITER)).announcement
    assert (again.status, again.reason) == ("waiting", "")
    assert (await editorial.reject(one.id, "đã đăng", by=FIRST)).status == "rejected"
    for act in (editorial.submit, editorial.send, editorial.approve):
        with pytest.raises(ActionRefused, match="is rejected"):
            await act(one.id, by=FIRST)


async def test_a_second_approval_of_something_recalled_meanwhile_is_refused_as_such(editorial: Editorial) -> None:
    one = (await editorial.create(draft(severity="info"), by=WRITER)).announcement
    await editorial.recall(one.id, by=WRITER)
    with pytest.raises(ActionRefused, match="is recalled and cannot be approved"):
        await editorial.approve(one.id, by=SECOND)


async def test_under_a_policy_what_is_live_is_corrected_by_another_who_may_approve(editorial: Editorial) -> None:
    one = (await editorial.create(draft(), then="waiting", by=FIRST)).announcement
    await editorial.approve(one.id, by=SECOND)
    await editorial.send(one.id, by=FIRST)
    with pytest.raises(NeedsApproval, match="corrected by somebody who may approve"):
        await editorial.change(one.id, Change(title="x"), by=WRITER)
    with pytest.raises(Forbidden):
        await editorial.change(one.id, Change(title="x"), by=FIRST)
    corrected = (await editorial.change(one.id, Change(title="x", show_again=True), by=SECOND)).announcement
    assert (corrected.status, corrected.title, corrected.again) == ("live", "x", corrected.revision)
    # No way around it by way of another severity, and taking back waits for nobody.
    mild = (await editorial.create(draft(severity="info"), by=WRITER)).announcement
    with pytest.raises(NeedsApproval):
        await editorial.change(mild.id, Change(severity="emergency"), by=WRITER)
    assert (await editorial.recall(one.id, by=WRITER)).status == "recalled"


async def test_a_test_needs_no_approval_and_cannot_become_the_real_thing(editorial: Editorial) -> None:
    one = (await editorial.create(draft(severity="emergency", test=True), by=WRITER)).announcement
    assert one.status == "live"
    with pytest.raises(Invalid) as refused:
        await editorial.change(one.id, Change(test=False, sites=("tinh",)), by=WRITER)
    assert {wrong.field for wrong in refused.value.wrong} == {"sites", "test"}
    later = (await editorial.create(draft(severity="emergency", test=True), then="draft", by=WRITER)).announcement
    await editorial.change(later.id, Change(test=False), by=WRITER)
    with pytest.raises(NeedsApproval):
        await editorial.send(later.id, by=WRITER)


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_does_what_the_table_says(editorial: Editorial, role: str) -> None:
    by = person("somebody", role)  # type: ignore[arg-type]
    able = {"editor", "approver", "admin"}
    if role not in able:
        with pytest.raises(Forbidden, match="one of the roles editor, approver, admin on demo"):
            await editorial.create(draft(severity="info"), by=by)
    else:
        assert (await editorial.create(draft(severity="info"), by=by)).status == "live"
    one = (await editorial.create(draft(), then="waiting", by=WRITER)).announcement
    assert (await editorial.get(one.id, by=by)).status == "waiting"
    if role in {"approver", "admin"}:
        assert (await editorial.approve(one.id, by=by)).status == "approved"
    else:
        with pytest.raises(Forbidden):
            await editorial.approve(one.id, by=by)


async def test_rights_are_had_for_a_site(editorial: Editorial) -> None:
    here = person("here", "approver", "demo")
    there = (await editorial.create(draft(sites=("tinh",), severity="info"), by=WRITER)).announcement
    both = (await editorial.create(draft(sites=("demo", "tinh"), severity="info"), by=WRITER)).announcement
    mine = (await editorial.create(draft(severity="info"), by=here)).announcement
    for id in (there.id, both.id):
        with pytest.raises(NoSuchAnnouncement):
            await editorial.get(id, by=here)
        with pytest.raises(NoSuchAnnouncement):
            await editorial.recall(id, by=here)
    assert [found.announcement.id for found in (await editorial.page(by=here)).found] == [mine.id]
    with pytest.raises(Forbidden, match="on tinh"):
        await editorial.create(draft(sites=("demo", "tinh"), severity="info"), by=here)
    own = (await editorial.create(draft(severity="info"), then="draft", by=here)).announcement
    with pytest.raises(Forbidden, match="on tinh"):
        await editorial.change(own.id, Change(sites=("tinh",)), by=here)


async def test_repeats_and_colleagues(editorial: Editorial) -> None:
    one = (await editorial.create(draft(), then="draft", by=WRITER, key="k")).announcement
    assert (await editorial.create(draft(), then="draft", by=WRITER, key="k")).replayed
    first = await editorial.submit(one.id, by=WRITER, key="s", expected=1)
    again = await editorial.submit(one.id, by=WRITER, key="s", expected=1)
    assert (first.replayed, again.replayed, again.announcement) == (False, True, first.announcement)
    with pytest.raises(StaleRevision):
        await editorial.approve(one.id, by=FIRST, expected=1)


async def test_an_end_that_has_passed_lets_nothing_go_out(editorial: Editorial) -> None:
    one = (await editorial.create(draft(severity="info", ends_ms=1_000), then="draft", by=WRITER)).announcement
    with pytest.raises(EndPassed):
        await editorial.send(one.id, by=WRITER)
    await editorial.change(one.id, Change(expires_in=60), by=WRITER)
    live = (await editorial.send(one.id, by=WRITER)).announcement
    assert live.expires_ms - live.published_ms == 60_000
    ends_ms = live.expires_ms + 1_000_000
    assert (await editorial.change(one.id, Change(ends_ms=ends_ms), by=WRITER)).announcement.expires_ms == ends_ms


async def test_is_found_by_what_it_says_in_whichever_language_and_without_accents(editorial: Editorial) -> None:
    wanted = draft(severity="info", title="Lũ trên sông Đà", texts={"en": Text(title="Flood", body="Leave now")})
    one = (await editorial.create(wanted, by=WRITER)).announcement
    await editorial.create(draft(severity="info", title="Bảo trì"), by=WRITER)
    for text in ("lu tren song da", "SÔNG ĐÀ", "leave"):
        assert [found.announcement.id for found in (await editorial.page(by=WRITER, text=text)).found] == [one.id]
    assert (await editorial.page(by=WRITER, text="bão số 9")).found == []
