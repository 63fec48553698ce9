"""The console's pages about announcements in a real browser: from writing to recall with the keyboard alone, the
preview that is the banner, and what is kept when things go wrong."""

from __future__ import annotations

import asyncio
import re
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FrameLocator, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, embed
from tests.browser.test_console_people import add, inside, name
from tests.service import Service

__all__ = ["name"]


async def begin(page: Page, service: Service, title: str, severity: str, site: str) -> None:
    """Fills the form of a new announcement with the keyboard alone."""
    await page.goto(f"{service.url}/console/announcements/new")
    await page.locator(f"#severity [value={severity}]").focus()
    await page.keyboard.press("Space")
    await page.get_by_label("Tiêu đề").focus()
    await page.keyboard.insert_text(title)
    await page.locator(f"#sites-{site}").focus()
    await page.keyboard.press("Space")


def preview(page: Page) -> FrameLocator:
    """The page in the frame."""
    return page.frame_locator(".banner-preview iframe")


async def press(page: Page, button: str) -> None:
    """By the keyboard."""
    await page.get_by_role("button", name=button, exact=True).focus()
    await page.keyboard.press("Enter")


async def test_from_writing_to_recall_with_the_keyboard(
    *, service: Service, readers: Readers, portal: Portal, name: str, site: str
) -> None:
    await add(service, name, "editor")
    reader = await readers.open(portal.page(embed(service.url, site)))
    await service.shows(site, "", lambda answer: answer["online"] == 1)
    page = await inside(service, readers, name)
    await begin(page, service, "Lũ quét ở thượng nguồn", "emergency", site)
    await expect(page.locator("[data-figure]")).to_have_text("1 người đang đọc")
    # Enter in a text field sends nothing.
    await page.get_by_label("Tiêu đề").focus()
    await page.keyboard.press("Enter")
    await press(page, "Tiếp: xem lại và xác nhận")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Xác nhận tin KHẨN CẤP trên 1 trang")
    # Red, as nothing else that can be pressed is.
    await expect(page.get_by_role("button", name="Gửi ngay")).to_have_css("background-color", "rgb(155, 17, 17)")
    await expect(page.locator("[data-figure]")).to_have_text("1 người đang đọc")
    await page.locator("#typed").focus()
    await page.keyboard.insert_text(site)
    await page.keyboard.press("Enter")
    await expect(banners(reader)).to_have_count(0)
    await press(page, "Gửi ngay")
    await expect(page.locator(".state")).to_have_text("Đang hiển thị")
    await expect(banners(reader)).to_contain_text("Lũ quét ở thượng nguồn")
    # Whom it has reached, without a touch.
    await expect(page.locator("[data-figures] dd").first).to_have_text("1")
    await expect(page.locator("[data-chart] svg")).to_be_visible()
    # Two keys from the button to its end.
    await page.locator(".act summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Thu hồi ngay, ở mọi nơi")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".state")).to_have_text("Đã thu hồi")
    await expect(banners(reader)).to_have_count(0)


async def test_limits_are_told_while_typing_and_a_test_tells_no_reach(
    service: Service, readers: Readers, name: str, site: str
) -> None:
    await add(service, name, "editor")
    page = await inside(service, readers, name)
    await begin(page, service, "Diễn tập", "emergency", site)
    # How many an unfinished path reaches is refused, and the form as well.
    readers.forgive("422")
    title, paths = page.get_by_label("Tiêu đề"), page.locator("#paths")
    await title.fill("x" * 121)
    await expect(page.locator("#title-0-limit")).to_have_text("Thừa 1 ký tự")
    await expect(title).to_have_attribute("aria-invalid", "true")
    await title.fill("Diễn tập")
    await expect(title).not_to_have_attribute("aria-invalid", "true")
    await page.locator("details.narrower summary").first.click()
    await expect(page.locator("#paths-limit")).to_have_text("Còn 50 trên 50")
    await paths.fill("/a\n\n/b\n")
    await expect(page.locator("#paths-limit")).to_have_text("Còn 48 trên 50")
    await paths.fill("/a\n" * 51)
    await expect(page.locator("#paths-limit")).to_have_text("Thừa 1")
    await paths.fill("/" + "*a" * 9)
    await expect(page.locator("[data-reach-now]")).to_be_visible()
    await page.locator("[name=test][value='1']").check()
    await expect(page.locator("[data-reach-now]")).to_be_hidden()
    await press(page, "Tiếp: xem lại và xác nhận")
    await expect(page.locator("#paths-error")).to_contain_text("nhiều nhất 512 ký tự và 8 dấu sao")
    await paths.fill("/tin/**")
    await press(page, "Tiếp: xem lại và xác nhận")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Xác nhận thử nghiệm")
    await expect(page.locator("[data-reach-now]")).to_have_count(0)
    await press(page, "Gửi thử nghiệm ngay")
    await expect(page.get_by_role("main")).to_contain_text("Chỉ trình duyệt đã xin nhận thử nghiệm đang thấy")


async def test_escape_leaves_an_act_undone(service: Service, readers: Readers, name: str, site: str) -> None:
    await add(service, name, "editor")
    id = await service.publish(site)
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/announcements/{id}")
    await page.locator(".act summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Thu hồi ngay, ở mọi nơi")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".act summary")).to_be_focused()
    await expect(page.locator(".act textarea")).to_be_hidden()


async def test_a_correction_changes_the_open_banner_in_place(
    *, service: Service, readers: Readers, portal: Portal, name: str, site: str
) -> None:
    await add(service, name, "editor")
    reader = await readers.open(portal.page(embed(service.url, site)))
    id = await service.publish(site, "notice", "Cúp nước quận 3")
    await expect(banners(reader)).to_contain_text("quận 3")
    card = await banners(reader).element_handle()
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/announcements/{id}/edit")
    await page.get_by_label("Tiêu đề").fill("Cúp nước quận 5")
    await page.get_by_role("button", name="Tiếp: xem lại và xác nhận").click()
    await expect(page.locator(".differences")).to_contain_text("quận 3")
    await page.get_by_role("button", name="Phát bản đính chính").click()
    await expect(banners(reader)).to_contain_text("quận 5")
    assert card is not None
    assert await card.evaluate("card => card.isConnected")


async def test_the_preview_is_the_banner_and_no_reader(
    *, service: Service, readers: Readers, name: str, site: str
) -> None:
    await add(service, name, "editor")
    page = await inside(service, readers, name)
    await begin(page, service, "Trời <b>đẹp</b>", "notice", site)
    frame = preview(page)
    card = frame.locator("loa-card")
    await expect(card).to_have_attribute("severity", "notice")
    await expect(card.locator("loa-title")).to_have_text("Trời <b>đẹp</b>")
    await page.locator("#severity [value=breaking]").check()
    await expect(card).to_have_attribute("severity", "breaking")
    await page.get_by_label("Liên kết").fill("https://portal.example.vn/")
    link = card.get_by_role("link", include_hidden=True)
    await expect(link).to_be_visible()
    # It is looked at; where it leads is not followed.
    await link.click()
    await expect(card).to_be_visible()

    async def brightness() -> int:
        colour = await card.evaluate("card => getComputedStyle(card).backgroundColor")
        return max(int(part) for part in re.findall(r"\d+", colour))

    assert await brightness() == 255
    await page.get_by_role("button", name="Tối").click()
    await expect(frame.locator("html.dark")).to_have_count(1)
    await expect(card).to_be_visible()
    # Whatever this computer prefers.
    assert await brightness() < 64
    await page.get_by_role("button", name="Điện thoại").click()
    await expect(page.locator(".banner-preview iframe")).to_have_css("width", "360px")
    # An origin of its own, without storage; and nobody was counted.
    assert await frame.locator("html").evaluate("() => self.origin") == "null"
    assert (await service.presence(site))["online"] == 0


async def test_the_preview_speaks_each_language(service: Service, readers: Readers, name: str, site: str) -> None:
    await add(service, name, "editor")
    page = await inside(service, readers, name)
    await begin(page, service, "Lũ lên nhanh", "emergency", site)
    await page.get_by_role("button", name="Thêm ngôn ngữ").click()
    await expect(page.locator("#language-1")).to_be_focused()
    await page.locator("#language-1").select_option("en")
    await page.locator("#title-1").fill("The river is rising")
    await page.locator("[data-languages]").get_by_role("button", name="Tiếng Anh").click()
    card = preview(page).locator("loa-card")
    await expect(card.locator("loa-title")).to_have_text("The river is rising")
    await expect(card.locator("loa-word")).to_have_text("Emergency")
    await expect(page.locator("#title-0")).to_have_value("Lũ lên nhanh")


async def test_a_half_written_text_survives_a_closed_session(
    *, service: Service, readers: Readers, name: str, site: str
) -> None:
    await add(service, name, "editor")
    page = await inside(service, readers, name)
    await begin(page, service, "Rất quan trọng", "info", site)
    await page.get_by_role("button", name="Thêm ngôn ngữ").click()
    await page.locator("#title-1").fill("Very important")
    key = "Object.keys(sessionStorage).some(key => sessionStorage[key].includes('Very important'))"
    # Not by `wait_for_function`, which evaluates a text in the page, and that its policy forbids.
    async with asyncio.timeout(60):
        while not await page.evaluate(key):
            await asyncio.sleep(0.05)
    await page.goto(f"{service.url}/console/announcements")
    await page.goto(f"{service.url}/console/announcements/new")
    await expect(page.locator("#title-0")).to_have_value("")
    await page.get_by_role("button", name="Lấy lại").click()
    await expect(page.locator("#title-0")).to_have_value("Rất quan trọng")
    await expect(page.locator("#title-1")).to_have_value("Very important")
    await page.locator("#language-1").select_option("en")
    await page.get_by_role("button", name="Lưu bản nháp").click()
    await expect(page.locator(".state")).to_have_text("Bản nháp")
    # What was sent is not offered again.
    await page.goto(f"{service.url}/console/announcements/new")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Soạn thông báo")
    await expect(page.locator("[data-unsent]")).to_be_hidden()


async def test_says_aloud_when_characters_run_out(service: Service, readers: Readers, name: str) -> None:
    await add(service, name, "editor")
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/announcements/new")
    await page.locator("#title-0").fill("x" * 100)
    await expect(page.locator("#title-0-limit")).to_have_text("Còn 20 trên 120 ký tự")
    await page.locator("#title-0").fill("x" * 115)
    await expect(page.locator("form [role=status].unseen")).to_have_text("Còn 5 trên 120 ký tự")


async def test_top_pages_refresh_until_they_are_paused(
    *, service: Service, readers: Readers, portal: Portal, name: str, site: str
) -> None:
    await add(service, name, "viewer")
    address = portal.page(embed(service.url, site))
    await readers.open(address)
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/pages?site={site}")
    row = page.locator(".top-pages tbody tr").first
    await expect(row).to_contain_text(re.compile(r"/file-\d+"))
    await expect(row.locator(".readers")).to_have_text("1")
    await readers.open(address)
    await expect(row.locator(".readers")).to_have_text("2")
    pause = page.get_by_role("button", name="Tạm dừng")
    await pause.click()
    await expect(pause).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    ("color_scheme", "width", "language"),
    [("light", 1280, "vi"), ("dark", 1280, "en"), ("light", 360, "en"), ("dark", 360, "vi")],
)
async def test_axe_finds_nothing_and_nothing_sticks_out(
    *,
    service: Service,
    readers: Readers,
    name: str,
    site: str,
    color_scheme: Literal["light", "dark"],
    width: int,
    language: str,
) -> None:
    readers.forgive("422")
    readers.forgive("404")
    await add(service, name, "admin", language=language)
    severities = ("info", "notice", "breaking", "emergency")
    ids = [await service.publish(site, severity, f"Tin {severity}") for severity in severities]
    ids.append(await service.publish(site, "breaking", "Thử", test=True))
    draft = await service.publish(site, "emergency", "Nháp [chỗ trống]", status="draft")
    await service.update(ids[1], title="Tin khác")
    await service.recall(ids[0])
    browser = await readers.arrive(
        width=width, color_scheme=color_scheme, reduced_motion="reduce", locale="vi-VN" if language == "vi" else "en-US"
    )
    page = await inside(service, readers, name, browser)

    async def inspect() -> None:
        await expect(page.locator("html")).to_have_attribute("lang", language)
        results = await Axe().run(page)
        assert results.violations_count == 0, f"{page.url}: {results.generate_report()}"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    paths = ["announcements", f"announcements?site={site}", "announcements/new?sample=storm", "templates", "pages"]
    paths += [f"announcements/{id}" for id in (ids[0], ids[1], ids[4], draft)]
    paths += [f"announcements/{draft}/confirm", f"announcements/{draft}/edit", f"announcements/{ids[3]}/edit"]
    for path in paths:
        await page.goto(f"{service.url}/console/{path}")
        await inspect()
    await page.locator("[name=do][value=confirm]").click()
    await expect(page.locator("[name=do][value=publish]")).to_be_visible()
    await inspect()
    await page.goto(f"{service.url}/console/announcements/{draft}/confirm")
    await page.locator("[name=do][value=send]").click()
    await expect(page.locator("#typed-error")).to_be_visible()
    await inspect()
    await page.goto(f"{service.url}/console/announcements/new")
    await page.locator("[name=do][value=confirm]").click()
    await expect(page.locator(".summary")).to_be_focused()
    await inspect()
    await page.goto(f"{service.url}/console/announcements/{ids[1]}")
    await page.locator(".act summary").click()
    for summary in await page.locator(".past summary").all():
        await summary.click()
    await inspect()
