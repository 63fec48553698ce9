"""GET /embed/{site}: the counter as a page for a frame; how it looks and counts is tested in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from typing import TypeAlias
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.problems import problems
from gateway.sites import SiteSettings
from presence import embed
from presence.parameters import Refused

Client: TypeAlias = TestClient[web.Request, web.Application]

ORIGINS = ["https://portal.example.vn", "https://*.portal.example.vn", "http://localhost:*", "http://[::1]:*"]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems])
    app.add_routes(embed.routes({"demo": SiteSettings(origins=ORIGINS), "abroad": SiteSettings(language="en")}))
    async with TestClient(TestServer(app)) as client:
        yield client


async def read(client: Client, **query: str) -> str:
    async with client.get(f"/embed/demo?{urlencode(query)}") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        return await answer.text()


async def test_only_pages_of_the_site_may_frame_it(client: Client) -> None:
    async with client.get("/embed/demo") as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert "X-Frame-Options" not in answer.headers
    assert policy[0] == "default-src 'none'"
    # An address of IPv6 is no source that a browser knows.
    assert policy[-1] == (
        "frame-ancestors 'self' https://portal.example.vn https://*.portal.example.vn http://localhost:*"
    )
    async with client.get("/embed/abroad") as answer:
        assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


async def test_all_that_is_in_it_is_allowed_by_its_policy_and_nothing_inline_is(client: Client) -> None:
    async with client.get("/embed/demo") as answer:
        policy = answer.headers["Content-Security-Policy"]
        text = await answer.text()
    assert "unsafe" not in policy
    styles = re.findall("<style>(.*?)</style>", text)
    assert len(styles) == 1
    assert f"'sha256-{base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()}'" in policy
    assert re.search(r"\s(style|on\w+)=", text) is None
    assert re.findall(r"<script([^>]*)>", text)[0].startswith(' src="../widget.js" data-site="demo"')


async def test_says_whose_readers_where_and_how(client: Client) -> None:
    text = await read(client)
    assert '<html lang="vi" class="auto">' in text
    assert 'data-path="/" data-banner="off"' in text
    assert "<loa-counter></loa-counter>" in text
    assert '<noscript><img src="../badge/demo.svg?style=plain&amp;lang=vi"' in text
    text = await read(client, lang="en", theme="dark", scope="page", path='/tin/1?a="b"', section="kinh-te")
    assert '<html lang="en" class="dark">' in text
    assert 'data-path="/tin/1?a=&#34;b&#34;" data-section="kinh-te"' in text
    assert '<loa-counter scope="page"></loa-counter>' in text
    picture = "../badge/demo.svg?style=plain&amp;lang=en&amp;scope=page&amp;path=%2Ftin%2F1%3Fa%3D%22b%22"
    assert f'<noscript><img src="{picture}"' in text
    text = await read(client, scope="section", section="kinh-te")
    assert "lang=vi&amp;scope=section&amp;section=kinh-te" in text
    for scope in ("reading", "idle", "background"):
        text = await read(client, scope=scope)
        assert f'<loa-counter scope="{scope}"></loa-counter>' in text
        # There is no picture of these, and that of the site would mislead.
        assert "<noscript>" not in text


async def test_may_be_the_block_of_figures_instead(client: Client) -> None:
    text = await read(client, block="stats")
    assert "<loa-stats></loa-stats>" in text
    assert "<loa-counter" not in text
    assert '<loa-stats metric="views"></loa-stats>' in await read(client, block="stats", metric="views")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"lang": "fr"}, "lang"),
        ({"scope": "world"}, "scope"),
        ({"theme": "pink"}, "theme"),
        ({"path": "tin/1"}, "path"),
        ({"path": "/" + "x" * 512}, "path"),
        ({"path": "/\n"}, "path"),
        ({"section": "a b"}, "section"),
        ({"section": "x" * 65}, "section"),
        ({"scope": "page"}, "path"),
        ({"scope": "page", "path": ""}, "path"),
        ({"scope": "section"}, "section"),
    ],
)
async def test_a_wrong_parameter_is_a_problem_that_names_it(client: Client, query: dict[str, str], field: str) -> None:
    with pytest.raises(Refused):
        embed.frame(query.items(), "vi")
    async with client.get(f"/embed/demo?{urlencode(query)}") as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")
        assert [error["field"] for error in (await answer.json(content_type=None))["errors"]] == [field]


async def test_a_site_there_is_not_is_not_found(client: Client) -> None:
    async with client.get("/embed/nowhere") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
