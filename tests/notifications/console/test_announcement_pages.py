"""The pages over HTTP, on real stores: what each shows and refuses; that nothing is done twice, or by mistake."""

from __future__ import annotations

import re

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.announcement import Change, Draft
from notifications.console.desk import PATH
from notifications.keys import Keys
from tests.notifications.console.desk_house import ROOT, DeskHouse, hidden, id_of, written
from tests.notifications.console.visitor import Visitor
from tests.notifications.making import ahead, wall
from tests.notifications.people.conftest import PASSWORD

NEW = f"{PATH}/new"
LIVE = Draft(sites=("demo",), severity="notice", title="Cúp nước quận 3")


@pytest.fixture
async def lan(desk: DeskHouse) -> Visitor:
    return await desk.somebody("lan")


async def draft(desk: DeskHouse, visitor: Visitor, *fields: object, **more: str) -> str:
    """Writes a draft by the form; its id."""
    return id_of(await visitor.send(NEW, written(*fields, do="confirm", **more)))  # type: ignore[arg-type]


async def confirm(visitor: Visitor, id: str, do: str, **more: str) -> tuple[int, str]:
    """Presses a button of the page that confirms; the status and what the page says."""
    page = await visitor.get(f"{PATH}/{id}/confirm")
    fields = {"key": hidden(page, "key"), "revision": hidden(page, "revision"), "do": do, **more}
    answer = await visitor.send(f"{PATH}/{id}/confirm", fields)
    return answer.status, answer.text


async def test_from_writing_to_recall(desk: DeskHouse, lan: Visitor) -> None:
    id = await draft(desk, lan)
    page = await lan.get(f"{PATH}/{id}/confirm")
    assert 'data-query="site=demo"' in page.text
    assert "Lũ trên sông Đà" in page.text
    assert (await desk.get(id)).status == "draft"
    assert (await confirm(lan, id, "send"))[0] == 303
    assert (await desk.get(id)).status == "live"
    page = await lan.get(f"{PATH}/{id}")
    assert "Đang hiển thị" in page.text
    fields = {"reason": "Nhầm sông", "revision": "1", "key": hidden(page, "key", "/recall")}
    assert (await lan.send(f"{PATH}/{id}/recall", fields)).status == 303
    one = await desk.get(id)
    assert (one.status, one.reason, one.author_name) == ("recalled", "Nhầm sông", "Nguyễn lan")
    page = await lan.get(f"{PATH}/{id}")
    assert [word in page.text for word in ("Đã thu hồi", "Nhầm sông", "Gửi", "Soạn")] == [True] * 4


async def test_a_form_sent_twice_acts_once(desk: DeskHouse, lan: Visitor) -> None:
    fields = written(do="confirm", key="a" * 32)
    first, second = await lan.send(NEW, fields), await lan.send(NEW, fields)
    assert id_of(first) == id_of(second)
    assert len(await desk.all()) == 1
    id = id_of(first)
    page = await lan.get(f"{PATH}/{id}/confirm")
    fields = [("key", hidden(page, "key")), ("revision", "1"), ("do", "send")]
    for _ in range(2):
        assert (await lan.send(f"{PATH}/{id}/confirm", fields)).status == 303
    assert (await desk.get(id)).revision == 2


async def test_another_text_in_the_same_form_is_another_announcement(desk: DeskHouse, lan: Visitor) -> None:
    for title in ("Một", "Hai"):
        await lan.send(NEW, written(title, do="draft", key="a" * 32))
    assert [one.title for one in await desk.all()] == ["Hai", "Một"]


async def test_an_emergency_takes_the_name_of_its_site(desk: DeskHouse, lan: Visitor) -> None:
    id = await draft(desk, lan, "Lũ quét", "emergency")
    for typed in ("", "demo2", "Báo Tân An"):
        status, text = await confirm(lan, id, "send", typed=typed)
        assert (status, 'id="typed-error"' in text) == (422, True)
    assert (await desk.get(id)).status == "draft"
    # In capitals, without marks, as somebody in a hurry types it.
    assert (await confirm(lan, id, "send", typed="  cong TỈNH "))[0] == 303
    assert (await desk.get(id)).status == "live"


async def test_an_emergency_to_several_sites_takes_their_number(desk: DeskHouse, lan: Visitor) -> None:
    """One name would say nothing of those that were ticked by mistake."""
    id = await draft(desk, lan, "Lũ quét", "emergency", ["demo", "bao"])
    assert "tin KHẨN CẤP trên 2 trang" in (await lan.get(f"{PATH}/{id}/confirm")).text
    for typed in ("Cổng tỉnh", "demo", "1", ""):
        assert (await confirm(lan, id, "send", typed=typed))[0] == 422
    assert (await confirm(lan, id, "send", typed=" 2 "))[0] == 303
    assert (await desk.get(id)).status == "live"


async def test_an_emergency_with_gaps_left_takes_a_tick_that_they_are_meant(desk: DeskHouse, lan: Visitor) -> None:
    id = await draft(desk, lan, "Lũ trên [sông], [xã] sơ tán", "emergency")
    status, text = await confirm(lan, id, "send", typed="demo")
    assert (status, 'id="gaps-error"' in text) == (422, True)
    assert '<p class="hint" id="gaps-hint">[sông] [xã]</p>' in text
    assert 'id="typed-error"' not in text
    # What was ticked stays so while the name is still wrong.
    status, text = await confirm(lan, id, "send", typed="?", gaps="meant")
    assert (status, 'id="gaps-error"' in text, 'id="typed-error"' in text) == (422, False, True)
    assert re.search(r'<input id="gaps-meant"[^>]* checked', text)
    assert (await desk.get(id)).status == "draft"
    assert (await confirm(lan, id, "send", typed="demo", gaps="meant"))[0] == 303
    assert (await desk.get(id)).status == "live"


@pytest.mark.parametrize(("severity", "more"), [("breaking", {}), ("emergency", {"test": "1"})])
async def test_other_gaps_are_only_shown(desk: DeskHouse, lan: Visitor, severity: str, more: dict[str, str]) -> None:
    id = await draft(desk, lan, "[Cập nhật] Bão số 5", severity, **more)
    page = await lan.get(f"{PATH}/{id}/confirm")
    assert "<mark>[Cập nhật]</mark>" in page.text
    assert 'name="gaps"' not in page.text
    assert (await confirm(lan, id, "send"))[0] == 303


async def test_a_correction_of_an_emergency_asks_of_its_gaps_too(desk: DeskHouse, lan: Visitor) -> None:
    id = await draft(desk, lan, "Lũ quét", "emergency")
    assert (await confirm(lan, id, "send", typed="demo"))[0] == 303
    fields = [*written("Lũ quét ở [xã]", "emergency", do="publish", revision="2", typed="demo")]
    refused = await lan.send(f"{PATH}/{id}/edit", [*fields, ("key", "a" * 32)])
    assert (refused.status, 'id="gaps-error"' in refused.text) == (422, True)
    assert (await desk.get(id)).title == "Lũ quét"
    assert (await lan.send(f"{PATH}/{id}/edit", [*fields, ("key", "b" * 32), ("gaps", "meant")])).status == 303
    assert (await desk.get(id)).title == "Lũ quét ở [xã]"


async def test_a_test_takes_no_name_and_no_approval_and_is_called_one(desk: DeskHouse, lan: Visitor) -> None:
    id = await draft(desk, lan, "Thử còi", "emergency", ["bao"], test="1")
    page = await lan.get(f"{PATH}/{id}/confirm")
    assert 'name="typed"' not in page.text
    assert "THỬ NGHIỆM" in page.text
    assert (await confirm(lan, id, "send"))[0] == 303
    assert (await desk.get(id)).test
    assert "THỬ NGHIỆM – Khẩn cấp" in (await lan.get(PATH)).text


async def test_what_needs_approval_gets_it_from_another(desk: DeskHouse, lan: Visitor) -> None:
    minh = await desk.somebody("minh", "approver")
    id = await draft(desk, lan, "Cháy chợ", "breaking", ["bao"])
    page = await lan.get(f"{PATH}/{id}/confirm")
    assert 'value="submit"' in page.text
    assert 'value="send"' not in page.text
    assert (await confirm(lan, id, "send"))[0] == 403
    assert (await confirm(lan, id, "submit"))[0] == 303
    assert "Chờ bạn duyệt" not in (await lan.get(PATH)).text
    assert "Chờ bạn duyệt" in (await minh.get(PATH)).text
    # Who wrote it has no button for it; who sends the form all the same is refused.
    assert "/approve" not in (await lan.get(f"{PATH}/{id}")).text
    assert (await lan.send(f"{PATH}/{id}/approve", {"revision": "2"})).status == 403
    page = await minh.get(f"{PATH}/{id}")
    fields = {"revision": hidden(page, "revision", "/approve"), "key": hidden(page, "key", "/approve")}
    assert (await minh.send(f"{PATH}/{id}/approve", fields)).status == 303
    assert (await confirm(lan, id, "send"))[0] == 303
    one = await desk.get(id)
    assert (one.status, [approval.name for approval in one.approvals]) == ("live", ["Nguyễn minh"])


async def test_giving_back_takes_a_reason(desk: DeskHouse, lan: Visitor) -> None:
    minh = await desk.somebody("minh", "approver")
    id = await draft(desk, lan, "Cháy chợ", "breaking", ["bao"])
    await confirm(lan, id, "submit")
    refused = await minh.send(f"{PATH}/{id}/return", {"reason": " ", "revision": "2"})
    assert (refused.status, 'id="reason-return-error"' in refused.text) == (422, True)
    assert (await minh.send(f"{PATH}/{id}/return", {"reason": "Sai tên chợ", "revision": "2"})).status == 303
    one = await desk.get(id)
    assert (one.status, one.reason) == ("returned", "Sai tên chợ")
    assert "“Sai tên chợ”" in (await lan.get(PATH)).text


async def test_a_schedule_is_by_the_sites_clock(desk: DeskHouse, lan: Visitor) -> None:
    at = ahead("Europe/Paris")
    id = await draft(desk, lan, "Bảo trì", "info", ["paris"], when="later", starts_at=wall(at))
    shown = f"08:00:00 {at.day}/{at.month}/{at.year} (Europe/Paris)"
    assert shown in (await lan.get(f"{PATH}/{id}/confirm")).text
    assert (await confirm(lan, id, "schedule"))[0] == 303
    one = await desk.get(id)
    assert (one.status, one.starts_ms) == ("scheduled", int(at.timestamp()) * 1000)
    assert "Đã đặt lịch" in (await lan.get(PATH)).text
    assert (await lan.send(f"{PATH}/{id}/unschedule", {"revision": str(one.revision)})).status == 303
    assert (await desk.get(id)).status == "draft"


async def test_what_would_be_over_before_it_goes_live_is_not_scheduled(
    desk: DeskHouse, lan: Visitor, redis: Redis, prefix: str
) -> None:
    """As a draft that was written when that was not looked at yet; no field of it stands on the page that confirms."""
    at = ahead("Asia/Ho_Chi_Minh")
    id = await draft(desk, lan, "Bảo trì", "info", when="later", starts_at=wall(at))
    one = msgspec.structs.replace(await desk.get(id), ends_ms=int(at.timestamp() * 1000) - 60_000)
    await redis.hset(Keys(prefix).state, id, msgspec.json.encode(one))
    status, said = await confirm(lan, id, "schedule")
    assert (status, "Sẽ không ai thấy" in said) == (422, True)
    assert (await desk.get(id)).status == "draft"


async def test_a_correction_is_shown_before_it_goes_out(desk: DeskHouse, lan: Visitor) -> None:
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    fields = [*written("Cúp nước quận 5", lasting="keep", revision="1"), ("do", "confirm")]
    page = await lan.send(f"{PATH}/{one.id}/edit", fields)
    assert (page.status, (await desk.get(one.id)).title) == (200, "Cúp nước quận 3")
    assert "Cúp nước quận 3</del>" in page.raw.replace("trước:", "") or "quận 3</del>" in page.text
    assert (await lan.send(f"{PATH}/{one.id}/edit", [*fields[:-1], ("do", "publish")])).status == 303
    after = await desk.get(one.id)
    assert (after.title, after.revision, after.again, after.expires_ms) == ("Cúp nước quận 5", 2, 1, one.expires_ms)
    again = [*written("Cúp nước quận 7", lasting="keep", revision="2"), ("show_again", "1"), ("do", "publish")]
    assert (await lan.send(f"{PATH}/{one.id}/edit", again)).status == 303
    assert (await desk.get(one.id)).again == 3


async def test_a_correction_to_an_emergency_takes_the_name_as_well(desk: DeskHouse, lan: Visitor) -> None:
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    fields = written("Vỡ đê", "emergency", lasting="keep", revision="1", do="publish")
    assert (await lan.send(f"{PATH}/{one.id}/edit", fields)).status == 422
    assert (await lan.send(f"{PATH}/{one.id}/edit", [*fields, ("typed", "Cổng tỉnh")])).status == 303
    assert (await desk.get(one.id)).severity == "emergency"


async def test_a_quicker_colleague_is_shown_and_what_was_typed_stays(desk: DeskHouse, lan: Visitor) -> None:
    one = (await desk.desk.editorial.create(LIVE, then="draft", by=ROOT)).announcement
    await desk.desk.editorial.change(one.id, Change(title="Cúp nước quận 4"), by=ROOT)
    page = await lan.send(f"{PATH}/{one.id}/edit", written("Cúp nước quận 9", revision="1", do="draft"))
    assert page.status == 409
    assert 'value="Cúp nước quận 9"' in page.text
    assert "Test" in page.text
    assert all(f"quận {number}</" in page.text for number in (3, 4))
    assert (await desk.get(one.id)).title == "Cúp nước quận 4"
    # Who has seen it may go on.
    fields = written("Cúp nước quận 9", revision=hidden(page, "revision"), do="draft")
    assert (await lan.send(f"{PATH}/{one.id}/edit", fields)).status == 303
    assert (await desk.get(one.id)).title == "Cúp nước quận 9"


async def test_what_was_not_seen_is_not_sent(desk: DeskHouse, lan: Visitor) -> None:
    id = await draft(desk, lan)
    page = await lan.get(f"{PATH}/{id}/confirm")
    await desk.desk.editorial.change(id, Change(title="Khác hẳn"), by=ROOT)
    answer = await lan.send(f"{PATH}/{id}/confirm", {"key": hidden(page, "key"), "revision": "1", "do": "send"})
    assert (answer.status, (await desk.get(id)).status) == (409, "draft")
    assert "Khác hẳn" in answer.text
    assert hidden(answer, "revision") == "2"


async def test_what_is_over_is_said_and_what_was_typed_stays(desk: DeskHouse, lan: Visitor) -> None:
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    await desk.desk.editorial.recall(one.id, by=ROOT)
    page = await lan.send(f"{PATH}/{one.id}/edit", written("Đã gõ dài", lasting="keep", revision="1", do="confirm"))
    assert (page.status, 'value="Đã gõ dài"' in page.text) == (409, True)
    assert (await lan.get(f"{PATH}/{one.id}/edit")).location == f"{PATH}/{one.id}"
    page = await desk.visitor().get(PATH)
    assert page.status == 303


async def test_a_form_with_mistakes_comes_back_as_it_was(desk: DeskHouse, lan: Visitor) -> None:
    fields = written("x" * 121, "", body_0="Giữ tôi lại <b>", url_0="javascript:alert(1)", do="confirm")
    page = await lan.send(NEW, [pair for pair in fields if pair[0] != "sites"])
    assert page.status == 422
    for field in ("title-0", "url-0", "severity", "sites"):
        assert f'id="{field}-error"' in page.text
    assert "Giữ tôi lại &lt;b&gt;" in page.raw
    assert await desk.all() == []


async def test_whoever_was_signed_out_gets_back_what_they_typed(desk: DeskHouse, lan: Visitor) -> None:
    await desk.people.register.end_sessions("lan")
    page = await lan.send(NEW, written("Đừng mất tôi", do="confirm"))
    assert (page.status, await desk.all()) == (403, [])
    assert 'name="title-0" value="Đừng mất tôi"' in page.text
    await lan.sign_in("lan", PASSWORD)
    page = await lan.send(NEW, written("Đừng mất tôi", do="again"))
    assert (page.status, 'value="Đừng mất tôi"' in page.text) == (200, True)


async def test_whoever_lost_their_rights_gets_back_what_they_typed(desk: DeskHouse) -> None:
    viewer = await desk.somebody("xem", "viewer", "demo")
    page = await viewer.send(NEW, written("Đừng mất tôi", do="confirm"))
    assert (page.status, 'value="Đừng mất tôi"' in page.text, await desk.all()) == (403, True, [])
    assert (await viewer.get(NEW)).status == 403
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    page = await viewer.get(f"{PATH}/{one.id}")
    assert ("/recall" in page.text, "/edit" in page.text) == (False, False)
    assert (await viewer.send(f"{PATH}/{one.id}/recall", {"reason": "x"})).status == 403
    assert (await desk.get(one.id)).status == "live"


async def test_another_sites_people_see_nothing(desk: DeskHouse) -> None:
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    other = await desk.somebody("khac", "editor", "bao")
    assert (await other.get(f"{PATH}/{one.id}")).status == 404
    assert one.title not in (await other.get(PATH)).text
    assert (await other.get(f"{NEW}?copy={one.id}")).status == 404
    page = await other.send(NEW, written("Chen vào", do="confirm"))
    assert (page.status, 'id="sites-error"' in page.text) == (403, True)
    assert (await other.send(f"{PATH}/{one.id}/confirm", {"do": "send"})).status == 404


async def test_another_websites_page_can_do_nothing(desk: DeskHouse, lan: Visitor) -> None:
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    answer = await lan.send(f"{PATH}/{one.id}/recall", {"reason": "x"}, Sec_Fetch_Site="cross-site")
    assert answer.status == 403
    assert (await lan.send(NEW, written(do="confirm"), Sec_Fetch_Site="cross-site")).status == 403
    assert (await desk.get(one.id)).status == "live"


async def test_languages_are_added_and_removed_without_a_script(lan: Visitor) -> None:
    page = await lan.send(NEW, written("Một", do="add"))
    assert (page.status, 'name="title-1"' in page.text, 'value="Một"' in page.text) == (200, True, True)
    page = await lan.send(NEW, written("Một", do="remove-1", language_1="en", title_1="One"))
    assert 'name="title-1"' not in page.text


async def test_a_template_is_kept_begun_from_and_removed(desk: DeskHouse, lan: Visitor) -> None:
    page = await lan.send(NEW, written("Cúp nước [phường]", do="sample", sample_name="Cúp nước"))
    assert "Đã lưu thành mẫu “Cúp nước”." in page.text
    (sample, *_) = await desk.desk.samples.list()
    begun = await lan.get(f"{NEW}?sample={sample.id}")
    assert 'value="Cúp nước [phường]"' in begun.text
    assert (await lan.send(f"/console/templates/{sample.id}/remove")).status == 303
    assert "Cúp nước" not in (await lan.get("/console/templates")).text
    assert (await lan.send("/console/templates/flood/remove")).status == 404
    id = await draft(desk, lan, "Cúp nước [phường]")
    assert "<mark>[phường]</mark>" in (await lan.get(f"{PATH}/{id}/confirm")).text


async def test_finds_by_words_site_and_state(desk: DeskHouse, lan: Visitor) -> None:
    for title, site in (("Lũ trên sông Đà", "demo"), ("Bão số 9", "bao")):
        await desk.desk.editorial.create(Draft(sites=(site,), severity="info", title=title), then="draft", by=ROOT)
    for query, found in (
        ("text=lu+tren", [True, False]),
        ("site=bao", [False, True]),
        ("status=draft", [True, True]),
        ("status=live", [False, False]),
        ("site=nowhere&status=strange&before=../x", [True, True]),
    ):
        page = await lan.get(f"{PATH}?{query}")
        assert [title in page.text for title in ("Lũ trên sông Đà", "Bão số 9")] == found, query


async def test_turns_pages_of_the_history(desk: DeskHouse, lan: Visitor) -> None:
    for number in range(31):
        await desk.desk.editorial.create(
            Draft(sites=("demo",), severity="info", title=f"Tin {number}."), then="draft", by=ROOT
        )
    page = await lan.get(f"{PATH}?status=draft")
    assert ("Tin 30." in page.text, "Tin 0." in page.text) == (True, False)
    older = re.search(r'rel="next" href="([^"]*)"', page.text)
    assert older is not None
    page = await lan.get(PATH + older[1])
    assert ("Tin 30." in page.text, "Tin 0." in page.text) == (False, True)


async def test_copies_as_new(desk: DeskHouse, lan: Visitor) -> None:
    one = (await desk.desk.editorial.create(LIVE, by=ROOT)).announcement
    page = await lan.get(f"{NEW}?copy={one.id}")
    assert 'value="Cúp nước quận 3"' in page.text


async def test_the_frame_of_a_preview_is_cut_off(lan: Visitor) -> None:
    page = await lan.get("/console/preview?theme=dark&language=en")
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"connect-src 'none'", "frame-ancestors 'self'", "sandbox allow-scripts", "default-src 'none'"} <= {*policy}
    assert '<html lang="en" class="dark">' in page.text
    assert 'lang="vi"' in (await lan.get('/console/preview?language="><script>')).text
    page = await lan.get(NEW)
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]


async def test_top_pages_are_of_a_site_that_one_may_see(desk: DeskHouse) -> None:
    other = await desk.somebody("khac", "viewer", "bao")
    assert 'data-pages="/api/v1/sites/bao/pages"' in (await other.get("/console/pages?site=demo")).text


async def test_nobody_but_people_signed_in_sees_anything(desk: DeskHouse) -> None:
    stranger = desk.visitor()
    for path in (PATH, NEW, f"{PATH}/{'0' * 26}", "/console/pages", "/console/templates", "/console/preview"):
        assert (await stranger.get(path)).location.startswith("/console/sign-in")


async def test_text_is_text(desk: DeskHouse, lan: Visitor) -> None:
    attack = "<script>alert(1)</script>'\"&"
    id = await draft(desk, lan, attack, body_0=attack)
    for path in (PATH, f"{PATH}/{id}", f"{PATH}/{id}/confirm", f"{PATH}/{id}/edit"):
        assert "<script>alert" not in (await lan.get(path)).raw


async def test_ids_that_can_be_nobodys_are_not_found(lan: Visitor) -> None:
    for id in ("x", "0" * 26, "0" * 25 + "u"):
        assert (await lan.get(f"{PATH}/{id}")).status == 404
        assert (await lan.send(f"{PATH}/{id}/recall", {"reason": "x"})).status == 404
