"""The widget as a file: whole, small, and good for any page's cache."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import widget

Client: TypeAlias = TestClient[web.Request, web.Application]

HALVES = [
    widget.half("gateway", "connect"),
    widget.half("presence", "counter"),
    widget.half("notifications", "banner"),
]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(widget.routes(HALVES))
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


def test_all_three_halves_together_are_at_most_6_kilobytes() -> None:
    assert len(widget.join(HALVES).compressed) <= 6_000


def test_a_half_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        widget.half("gateway", "unheard-of")


def test_the_same_halves_give_the_same_bytes_on_every_worker() -> None:
    once, twice = widget.join(HALVES), widget.join(HALVES)
    assert once == twice
    assert gzip.decompress(once.compressed) == once.script
    assert once.digest == hashlib.sha256(once.script).hexdigest()
    assert widget.join(HALVES[:2]).digest != once.digest


def test_it_is_one_function_without_comments() -> None:
    script = widget.join(HALVES).script.decode()
    assert script.startswith("(()=>{'use strict';")
    assert script.endswith("})();")
    assert "@ts-check" not in script
    assert "/**" not in script


@pytest.mark.parametrize(
    "forbidden",
    [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "console.",
        "createElement('style')",
    ],
)
def test_nothing_in_it_needs_leave_from_a_policy_or_speaks_to_the_console(forbidden: str) -> None:
    assert forbidden not in widget.join(HALVES).script.decode()


def test_no_syntax_newer_than_2019() -> None:
    script = widget.join(HALVES).script.decode()
    # Optional chaining, nullish coalescing, private and static members.
    assert re.search(r"\?\.[A-Za-z(\[]|\?\?|\bstatic |this\.#", script) is None


async def test_is_sent_with_what_other_peoples_pages_need(client: Client) -> None:
    async with client.get("/widget.js", headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert await answer.read() == widget.join(HALVES).script


async def test_is_sent_compressed_to_those_who_take_it_so(client: Client) -> None:
    async with client.get("/widget.js", headers={"Accept-Encoding": "br, gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()) == widget.join(HALVES).script


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_unchanged_file_is_not_sent_again(client: Client, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    async with client.get("/widget.js", headers=headers) as first:
        tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        async with client.get("/widget.js", headers={**headers, "If-None-Match": known}) as answer:
            assert answer.status == 304
            assert answer.headers["ETag"] == tag
            assert await answer.read() == b""
    async with client.get("/widget.js", headers={**headers, "If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


async def test_the_two_encodings_have_tags_of_their_own(client: Client) -> None:
    tags = set()
    for encoding in ("identity", "gzip"):
        async with client.head("/widget.js", headers={"Accept-Encoding": encoding}) as answer:
            assert answer.status == 200
            tags.add(answer.headers["ETag"])
    assert len(tags) == 2
