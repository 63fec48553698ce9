from __future__ import annotations

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
from redis.asyncio import Redis

from notifications import explanation, openapi
from notifications.settings import NotificationsSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.service import Room, serving_api


@pytest.fixture
async def room(valkey: Redis, prefix: str) -> AsyncIterator[Room]:
    async with serving_api(valkey, prefix, SETTINGS) as room:
        yield room


class Page(HTMLParser):
    """Collects what a page loads and where it leads within itself."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every element."""
        given = dict(attrs)
        assert tag not in {"script", "style", "iframe"}
        assert not {"style", "onclick", "onload"} & set(given)
        if tag == "link":
            self.loads.append(given["href"] or "")
        if identity := given.get("id"):
            assert identity not in self.ids
            self.ids.add(identity)
        if tag == "a" and (given["href"] or "").startswith("#"):
            self.anchors.add((given["href"] or "")[1:])


async def test_the_page_needs_nothing_from_elsewhere(room: Room) -> None:
    room.editor.token = ""
    answer = await room.editor.send("GET", openapi.PAGE_PATH)
    assert answer.status == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = Page()
    page.feed(answer.body.decode())
    assert page.loads == [openapi.STYLESHEET_PATH]
    assert page.anchors <= page.ids
    items = openapi.describe(NotificationsSettings())["paths"].values()
    calls = {call["operationId"] for item in items for method, call in item.items() if method != "parameters"}
    assert calls <= page.ids
    style = await room.editor.send("GET", openapi.STYLESHEET_PATH)
    assert style.headers["Content-Type"].startswith("text/css")
    assert "url(" not in style.body.decode()


def test_text_is_text_and_code_is_code() -> None:
    item = {"get": {"operationId": "x", "summary": "How many <are> here", "description": "a `<b>` c", "responses": {}}}
    page = explanation.page(openapi.describe(NotificationsSettings(), {"/x": item}))
    assert "How many &lt;are&gt; here" in page
    assert "a <code>&lt;b&gt;</code> c" in page
