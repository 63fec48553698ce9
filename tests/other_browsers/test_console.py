"""The console in Firefox and WebKit: an emergency from signing in to its recall, and the pages as they look."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.portal import Portal
from tests.browser.readers import embed
from tests.browser.test_console_people import PASSWORD, add
from tests.other_browsers.conftest import Arrive
from tests.other_browsers.driven import PERSON, Driven
from tests.other_browsers.firefox import Firefox
from tests.other_browsers.test_widget import equal, shows, told
from tests.patience import until
from tests.service import Service
from tests.system.test_tls import SERVER, certify

_NUMBERS = itertools.count(1)


class Console:
    """A console in a tab: forms are filled and sent as scripts of the page's own would."""

    def __init__(self, browser: Driven, tab: str) -> None:
        self._browser = browser
        self._tab = tab

    async def sees(self, selector: str, text: str) -> None:
        """Waits for a text."""
        script = f"return document.querySelector({selector!r}).textContent.includes({text!r})"
        await until(lambda: equal(self._browser, self._tab, script, True))

    async def fill(self, selector: str, value: str) -> None:
        """Writes into a field."""
        field = f"const field = document.querySelector({selector!r}); field.value = {value!r};"
        await self.run(f"{field} field.dispatchEvent(new Event('input', {{ bubbles: true }}))")

    async def click(self, selector: str, text: str = "") -> None:
        """Clicks on what says `text`."""
        found = f"[...document.querySelectorAll({selector!r})].find((one) => one.textContent.includes({text!r}))"
        # What leaves the page must not leave while it still answers.
        await self.run(f"const one = {found}; if (!one) throw '{text}'; setTimeout(() => one.click())")

    async def sign_in(self, name: str) -> None:
        """Fills in and sends the form of the sign-in."""
        await self.fill("#name", name)
        await self.fill("#password", PASSWORD)
        await self.click("form[action='/console/sign-in'] button")

    async def run(self, script: str) -> None:
        """Runs a script."""
        await self._browser.run(self._tab, script)


@pytest.fixture
def name() -> str:
    """Of a user no other test knows."""
    return f"nguoi-{next(_NUMBERS)}"


@pytest.fixture
def private_service(tmp_path: Path) -> Iterator[Service]:
    """One over HTTPS."""
    certify(tmp_path)
    with Service(tmp_path, 0, SERVER) as service:
        yield service


async def test_an_emergency_from_signing_in_to_its_recall(
    private_service: Service, portal: Portal, name: str, arrive: Arrive
) -> None:
    service = private_service
    await add(service, name, "editor")
    reader = await arrive()
    page = await reader.open(portal.page(embed(service.url, "demo"), head=PERSON))
    await shows(reader, page, "1")
    editor = await arrive()
    console = Console(editor, await editor.open(f"{service.url}/console/announcements/new"))
    await console.sign_in(name)
    await console.sees(".me", f"Trần {name}")
    await console.click("#severity [value=emergency]")
    # The only site there is has been chosen for them.
    await console.fill("#title-0", "Lũ quét ở thượng nguồn")
    await console.sees("[data-figure]", "1 người đang đọc")
    await console.click("button", "Tiếp: xem lại và xác nhận")
    await console.sees("h1", "Xác nhận tin KHẨN CẤP trên 1 trang")
    await console.fill("#typed", "demo")
    await console.click("button", "Gửi ngay")
    await told(reader, page, "Lũ quét ở thượng nguồn")
    await console.sees(".state", "Đang hiển thị")
    await console.sees("[data-figures] dd", "1")
    await console.click(".act summary")
    await console.click("button", "Thu hồi ngay, ở mọi nơi")
    await console.sees(".state", "Đã thu hồi")
    await told(reader, page)


async def test_over_plain_http_on_this_machine_one_is_in_or_told_why_not(
    service: Service, name: str, arrive: Arrive
) -> None:
    await add(service, name, "editor")
    browser = await arrive()
    # By the name that browsers take for a safe place over plain HTTP; WebKit, and so Safari, takes none.
    tab = await browser.open(f"{service.url.replace('127.0.0.1', 'localhost')}/console/announcements/new")
    console = Console(browser, tab)
    await console.sign_in(name)
    await console.sees("h1", "Soạn thông báo" if isinstance(browser, Firefox) else "Trình duyệt không giữ đăng nhập")
