"""The counter in a frame: it connects from our own origin, counts, moves nothing, and lies on the page's background."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, FrameLocator, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, counter, embed
from tests.patience import PATIENCE_SECONDS
from tests.service import Service

# Its one page may not connect from the service's own address: only the frame's being our own lets it in.
_SITE = """
[sites.framed]
origins = ["http://localhost:*"]

[sites.figured]
origins = ["http://localhost:*"]

[sites.closed]
origins = ["https://portal.example.vn"]
"""

DARK_LETTERS, LIGHT_LETTERS = "rgb(28, 29, 33)", "rgb(236, 237, 240)"


@pytest.fixture(scope="module")
def framing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("framing"), 0, _SITE) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def page_without_scripts(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


def framed(portal: Portal, address: str, *, head: str = "", before: str = "") -> str:
    """A page with a frame, under the name of this machine that is on the list."""
    frame = f'<iframe src="{address}" width="240" height="20" frameborder="0" title="Người đọc"></iframe>'
    return portal.page(f"{before}<p>{frame}</p>", head=head).replace("127.0.0.1", "localhost")


def inside(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


async def test_a_page_with_the_frame_in_it_is_a_reader(framing: Service, portal: Portal, readers: Readers) -> None:
    address = framed(portal, f"{framing.url}/embed/framed?path=/tin/1")
    page = await readers.open(address)
    text = inside(page).locator("loa-counter [part=text]")
    await expect(text).to_have_text("1 người đang online")
    await readers.open(address)
    await expect(text).to_have_text("2 người đang online")


async def test_it_speaks_the_language_it_is_asked_for_and_shows_no_banner(
    framing: Service, portal: Portal, readers: Readers
) -> None:
    frame = f"{framing.url}/embed/framed?lang=en"
    page = await readers.open(framed(portal, frame, before=embed(framing.url, "framed")))
    await expect(inside(page).locator("loa-counter [part=text]")).to_contain_text("online")
    await expect(inside(page).locator("loa-counter [part=text]")).to_contain_text("reader")
    await expect(counter(page).first).to_contain_text("người đang online")
    await framing.publish("framed", "breaking", "Tin")
    # Once it stands in the page around the frame, the frame has been told, too.
    await expect(page.locator("loa-card")).to_have_count(1)
    await expect(inside(page).locator("loa-card")).to_have_count(0)


@pytest.mark.parametrize(
    ("query", "element", "text"),
    [
        ("scope=page&path=/tin/2", "loa-counter [part=text]", "1 người đang đọc bài này"),
        ("block=stats", "loa-stats [part=number] >> nth=0", "1"),
    ],
)
async def test_it_shows_a_scope_or_the_block_of_figures(
    *, framing: Service, portal: Portal, readers: Readers, query: str, element: str, text: str
) -> None:
    # Of a site that nobody else in this file reads.
    page = await readers.open(framed(portal, f"{framing.url}/embed/figured?{query}"))
    await expect(inside(page).locator(element)).to_have_text(text)


async def test_a_stranger_s_page_cannot_frame_it(framing: Service, portal: Portal, readers: Readers) -> None:
    readers.forgive("frame-ancestors")
    refused = readers.complained("frame-ancestors")
    await readers.open(framed(portal, f"{framing.url}/embed/closed"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await refused


async def test_nothing_moves_while_the_number_comes(framing: Service, portal: Portal, readers: Readers) -> None:
    page = await readers.open(framed(portal, f"{framing.url}/embed/framed"))
    await expect(inside(page).locator("loa-counter [part=text]")).to_contain_text("online")
    (frame,) = page.frames[1:]
    shifts = await frame.evaluate("""new Promise((done) => {
      let total = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((each) => { total += each.value; }))
        .observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => done(total)));
    })""")
    assert shifts == 0
    size = await frame.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= 240 and size[1] <= 20


@pytest.mark.parametrize(
    "how",
    [
        ("auto", "light", "light", DARK_LETTERS),
        ("auto", "dark", "dark", LIGHT_LETTERS),
        ("light", "light", "dark", DARK_LETTERS),
        ("dark", "dark", "light", LIGHT_LETTERS),
    ],
)
async def test_it_lies_on_the_page_s_background_in_letters_that_can_be_read(
    framing: Service, portal: Portal, readers: Readers, how: tuple[str, str, str, str]
) -> None:
    theme, scheme, prefers, letters = how
    head = f"<style>html {{ color-scheme: {scheme}; background: rgb(10, 120, 90) }}</style>"
    address = framed(portal, f"{framing.url}/embed/framed?theme={theme}", head=head)
    page = await readers.open(address, color_scheme=prefers)
    await expect(inside(page).locator("loa-counter [part=text]")).to_contain_text("online")
    image = Image.open(BytesIO(await page.locator("iframe").screenshot())).convert("RGB")
    # Its last pixel is behind no letter.
    assert image.getpixel((image.width - 1, image.height - 1)) == (10, 120, 90)
    color = await inside(page).locator("loa-counter").evaluate("(each) => getComputedStyle(each).color")
    assert color == letters


async def test_a_pinned_script_runs_and_another_text_under_its_hash_would_not(
    framing: Service, portal: Portal, readers: Readers
) -> None:
    said = await framing.loa("snippet", "--site", "framed", "--url", framing.url, "--pinned")
    assert said.code == 0, said.errors
    script = next(line for line in said.output.splitlines() if line.startswith("<script"))
    page = await readers.open(portal.page(f"<loa-counter></loa-counter>{script}").replace("127.0.0.1", "localhost"))
    await expect(counter(page)).to_contain_text("online")
    readers.forgive("integrity")
    refused = readers.complained("integrity")
    wrong = re.sub('sha384-[^"]+', f"sha384-{'A' * 64}", script)
    page = await readers.open(portal.page(f"<loa-counter></loa-counter>{wrong}").replace("127.0.0.1", "localhost"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await refused
    assert await page.evaluate("customElements.get('loa-counter') === undefined")


async def test_without_scripts_the_picture_stands_there(
    framing: Service, portal: Portal, page_without_scripts: Page
) -> None:
    said = await framing.loa("snippet", "--site", "framed", "--url", framing.url)
    lines = "".join(line for line in said.output.splitlines() if line.startswith("<"))
    page = page_without_scripts
    await page.goto(portal.page(lines))
    picture = page.locator("img")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_attribute("alt", "Số người đang online")
    assert await picture.evaluate("(each) => each.decode().then(() => [each.naturalHeight, each.height])") == [20, 20]
