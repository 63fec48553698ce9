"""The demo portal: every page of it, in both languages, with the widget embedded as a webmaster would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from operations import demo

Client: TypeAlias = TestClient[web.Request, web.Application]

PAGES = ["/demo/", *(f"/demo/{story.slug}" for story in demo.STORIES)]


def _clock(zone: ZoneInfo) -> datetime:
    # Already Monday in Vietnam, still Sunday in UTC.
    return datetime.fromisoformat("2026-11-22T17:30:00Z").astimezone(zone)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    demo.install(app, "tinh-nha", "Asia/Ho_Chi_Minh", _clock)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _read(client: Client, path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200, path
        assert answer.content_type == "text/html"
        return await answer.text()


@pytest.mark.parametrize("page", PAGES)
async def test_embeds_the_two_lines_a_webmaster_pastes(client: Client, page: str) -> None:
    text = await _read(client, page)
    assert (
        len(re.findall(r'<script src="/widget\.js" data-site="tinh-nha" data-section="[a-z-]+" async></script>', text))
        == 1
    )
    assert text.count("<loa-counter></loa-counter>") == 1


@pytest.mark.parametrize("page", PAGES)
async def test_sends_a_strict_policy_and_gives_it_nothing_to_stop(client: Client, page: str) -> None:
    async with client.get(page) as answer:
        policy = answer.headers["Content-Security-Policy"]
        text = await answer.text()
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "<style" not in text
    assert re.search(r'\s(style|on\w+)="', text) is None
    assert re.search(r"<script(?![^>]*\bsrc=)", text) is None


@pytest.mark.parametrize(
    ("query", "language"), [("", "vi"), ("?lang=vi", "vi"), ("?lang=en", "en"), ("?lang=fr", "vi")]
)
@pytest.mark.parametrize("page", PAGES)
async def test_speaks_vietnamese_and_on_request_english(client: Client, page: str, query: str, language: str) -> None:
    text = await _read(client, page + query)
    assert f'<html lang="{language}">' in text
    assert ("Tin liên quan" in text) is (language == "vi")
    assert ("Related news" in text) is (language == "en")


@pytest.mark.parametrize("query", ["", "?lang=en"])
@pytest.mark.parametrize("page", PAGES)
async def test_every_link_leads_somewhere(client: Client, page: str, query: str) -> None:
    text = await _read(client, page + query)
    links = set(re.findall(r'(?:href|src)="([^"]+)"', text))
    assert links
    for link in links - {"/widget.js"}:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in text
            continue
        target = page + link if link.startswith("?") else link
        async with client.get(target) as answer:
            assert answer.status == 200, link


async def test_bears_the_date_of_the_place(client: Client) -> None:
    assert "Thứ Hai, 23/11/2026" in await _read(client, "/demo/")
    assert "Monday, 23 November 2026" in await _read(client, "/demo/?lang=en")


async def test_an_address_without_its_slash_is_led_there_and_an_unknown_one_is_not_found(client: Client) -> None:
    async with client.get("/demo", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "/demo/")
    async with client.get("/demo/khong-co") as answer:
        assert answer.status == 404
    async with client.get("/demo/static/demo.html") as answer:
        assert answer.status == 404


async def test_what_is_written_into_the_page_is_escaped() -> None:
    app = web.Application()
    demo.install(app, '"><script>', "Asia/Ho_Chi_Minh", _clock)
    async with TestClient(TestServer(app)) as client:
        assert "<script>" not in await _read(client, "/demo/")
