"""The console in a real browser: signing in, looking after people, and what happens to a console that lies open."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, Request, expect

from tests.browser.readers import Readers
from tests.service import Service

PASSWORD = "dòng sông mùa thu"
_NUMBERS = itertools.count(1)

# Chromium calls an answer of 4xx to a form a failed resource.
_REFUSED = ("403", "404", "422")


@pytest.fixture
def name() -> Iterator[str]:
    """Of a user no other test knows."""
    yield f"nguoi-{next(_NUMBERS)}"


async def add(service: Service, name: str, role: str = "admin", site: str = "*", language: str = "vi") -> None:
    """Makes a user as an operator does."""
    options = ["--role", role, "--site", site, "--full-name", f"Trần {name}", "--language", language]
    said = await service.loa("user", "add", name, *options, "--password-stdin", typed=PASSWORD)
    assert said.code == 0, said.errors


async def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """With the keyboard alone."""
    await page.locator("#name").focus()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.insert_text(password)
    await page.keyboard.press("Enter")


async def inside(service: Service, readers: Readers, name: str, browser: BrowserContext | None = None) -> Page:
    """A page of somebody signed in."""
    page = await readers.open(f"{service.url}/console/", browser)
    await sign_in(page, name)
    await expect(page.locator(".me")).to_contain_text(f"Trần {name}")
    return page


async def test_signs_in_with_the_keyboard_and_out_again(service: Service, readers: Readers, name: str) -> None:
    readers.forgive("403")
    await add(service, name)
    page = await readers.open(f"{service.url}/console/trail")
    await sign_in(page, name, "sai mật khẩu rồi")
    # The summary has the focus, and leads to the field.
    summary = page.locator(".summary")
    await expect(summary).to_be_focused()
    await expect(page).to_have_title("Lỗi: Đăng nhập · Loa")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#password")).to_be_focused()
    await page.keyboard.insert_text(PASSWORD)
    await page.keyboard.press("Enter")
    # Where one wanted to be.
    await expect(page.get_by_role("heading", level=1)).to_have_text("Nhật ký")
    assert {cookie["name"]: (cookie["httpOnly"], cookie["secure"]) for cookie in await page.context.cookies()} == {
        "__Host-loa-session": (True, True),
        "__Host-loa-device": (True, True),
    }
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.get_by_role("button", name="Đăng xuất").click()
    await expect(page.get_by_role("status")).to_have_text("Bạn đã đăng xuất.")
    await page.go_back()
    await expect(page.locator("#password")).to_be_visible()


async def test_adds_somebody_changes_and_disables_them(service: Service, readers: Readers, name: str) -> None:
    readers.forgive("422")
    await add(service, name)
    page = await inside(service, readers, name)
    await page.get_by_role("link", name="Người dùng", exact=True).click()
    await page.get_by_role("link", name="Thêm người dùng").click()
    await page.get_by_label("Họ và tên").fill("Phạm Dung")
    limit = page.locator("#full_name-limit")
    await expect(limit).to_have_text("Còn 71 trên 80 ký tự")
    await page.get_by_label("Họ và tên").fill("👩‍🚒" * 40)
    await expect(limit).to_have_text("Thừa 40 ký tự")
    await page.get_by_label("Tên đăng nhập").fill(f"{name}-dung")
    await page.get_by_label("Mọi trang").select_option("viewer")
    await page.get_by_label("Mật khẩu đầu tiên").fill(PASSWORD)
    await page.get_by_role("button", name="Thêm", exact=True).click()
    await expect(page.locator("#full_name")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Họ và tên").fill("Phạm Dung")
    await page.get_by_label("Mật khẩu đầu tiên").fill(PASSWORD)
    await page.get_by_role("button", name="Thêm", exact=True).click()
    await expect(page.get_by_role("status")).to_have_text("Đã thêm Phạm Dung.")
    await page.locator(f'a[href="/console/people/{name}-dung"]').click()
    # Where there are many sites they are folded away.
    await page.get_by_text("Vai trò khác ở một số trang").click()
    await page.get_by_label("demo", exact=True).select_option("approver")
    await page.get_by_role("button", name="Lưu").click()
    row = page.get_by_role("listitem").filter(has_text=f"{name}-dung")
    await expect(row).to_contain_text("Người duyệt demo")
    await row.get_by_role("link").click()
    await page.get_by_role("link", name="Khóa", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Khóa Phạm Dung?")
    await page.get_by_role("button", name="Khóa").click()
    await expect(row).to_contain_text("đã khóa")


async def test_a_token_is_shown_once_selected_for_copying(service: Service, readers: Readers, name: str) -> None:
    await add(service, name, language="en")
    page = await inside(service, readers, name)
    await page.get_by_role("link", name="Tokens").click()
    await page.get_by_label("Whose it is").fill("CMS của cổng")
    await page.get_by_label("Viewer").check()
    await page.get_by_role("button", name="Make a token").click()
    field = page.get_by_label("Copy it now")
    await expect(field).to_be_focused()
    text = await field.input_value()
    assert await page.evaluate("getSelection().toString()") == text
    await page.get_by_role("link", name="I have copied it").click()
    row = page.get_by_role("listitem").filter(has_text="CMS của cổng").first
    await expect(row).to_contain_text("never used")
    assert text not in await page.content()


async def test_an_open_console_ends_with_its_rights(service: Service, readers: Readers, name: str) -> None:
    """Within five seconds, on whichever worker, without a touch."""
    readers.forgive("403")
    await add(service, name)
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/people")
    assert (await service.loa("user", "change", name, "--role", "viewer", "--site", "*")).code == 0
    await expect(page.get_by_role("heading", level=1)).to_have_text("Không được phép")
    await expect(page.locator("nav").get_by_role("link", name="Người dùng")).to_have_count(0)
    assert (await service.loa("user", "disable", name)).code == 0
    await expect(page).to_have_url(f"{service.url}/console/sign-in?next=/console/people")


async def test_what_somebody_has_typed_is_not_taken_from_them(service: Service, readers: Readers, name: str) -> None:
    await add(service, name)
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/people/add")
    await page.get_by_label("Họ và tên").fill("Rất dài và quan trọng")
    assert (await service.loa("user", "disable", name)).code == 0
    await expect(page.get_by_role("alert")).to_contain_text("Bạn không còn đăng nhập.")
    await expect(page.get_by_label("Họ và tên")).to_have_value("Rất dài và quan trọng")
    await expect(page.get_by_role("button", name="Thêm", exact=True)).to_be_disabled()


async def test_a_page_that_lies_open_is_nobody_at_work(service: Service, readers: Readers, name: str) -> None:
    """What it asks by itself says so; only a key or a hand prolongs a session."""
    await add(service, name)
    page = await inside(service, readers, name)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  a builtin carries no mark of its own
    async with page.expect_response("**/api/v1/**") as answered:
        await page.goto(f"{service.url}/console/pages")
    assert (await answered.value).ok
    async with page.expect_response("**/console/session?*") as answered:
        pass
    assert "attended" not in (await answered.value).url
    by_script = [request for request in asked if request.resource_type == "fetch" and "/api/" in request.url]
    assert by_script
    assert all(request.headers.get("x-loa-unattended") == "1" for request in by_script)
    async with page.expect_response("**/console/session?*attended=1") as answered:
        await page.keyboard.press("Tab")
    assert (await answered.value).ok


async def test_signing_out_everywhere_ends_the_other_browser(service: Service, readers: Readers, name: str) -> None:
    # The list of the other one may ask for numbers before it has noticed.
    readers.forgive("401")
    await add(service, name)
    here, there = await inside(service, readers, name), await inside(service, readers, name)
    await here.goto(f"{service.url}/console/account")
    await expect(here.get_by_role("listitem").filter(has_text="Chrome, Linux")).to_have_count(2)
    await here.get_by_role("button", name="Đăng xuất ở mọi nơi").click()
    await expect(here.get_by_role("status")).to_have_text("Bạn đã đăng xuất ở mọi nơi.")
    await expect(there.locator("#password")).to_be_visible()


@pytest.mark.parametrize(
    ("color_scheme", "width", "language"),
    [("light", 1280, "vi"), ("dark", 1280, "en"), ("light", 360, "en"), ("dark", 360, "vi")],
)
async def test_axe_finds_nothing_and_nothing_sticks_out(
    service: Service,
    readers: Readers,
    name: str,
    *,
    color_scheme: Literal["light", "dark"],
    width: int,
    language: str,
) -> None:
    for part in _REFUSED:
        readers.forgive(part)
    await add(service, name, language=language)
    browser = await readers.arrive(
        width=width, color_scheme=color_scheme, reduced_motion="reduce", locale="vi-VN" if language == "vi" else "en-US"
    )
    page = await readers.open(f"{service.url}/console/sign-in", browser)

    async def inspect() -> None:
        await expect(page.locator("html")).to_have_attribute("lang", language)
        results = await Axe().run(page)
        assert results.violations_count == 0, f"{page.url}: {results.generate_report()}"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    await inspect()
    await sign_in(page, name, "sai mật khẩu rồi")
    await expect(page.locator(".summary")).to_be_visible()
    await inspect()
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".me")).to_be_visible()
    for path in ("account", "people", "people/add", f"people/{name}", "tokens", "trail", "nowhere"):
        await page.goto(f"{service.url}/console/{path}")
        await inspect()
    if width < 500:
        await page.locator("summary").first.click()
        await expect(page.locator(".menu nav")).to_be_visible()
        await inspect()
        await page.keyboard.press("Escape")
        await expect(page.locator(".menu nav")).to_be_hidden()
    await page.goto(f"{service.url}/console/tokens")
    await page.locator("#name").fill("CMS")
    await page.locator("form.card > button").click()
    await expect(page.locator("#text")).to_be_focused()
    await inspect()
    await page.goto(f"{service.url}/console/people/add")
    await page.locator("form.card").evaluate("form => { form.noValidate = true }")
    await page.locator("form.card button").click()
    await expect(page.locator(".summary")).to_be_focused()
    await inspect()
    await page.goto(f"{service.url}/console/trail")
    await page.locator("li details summary").first.click()
    await inspect()
