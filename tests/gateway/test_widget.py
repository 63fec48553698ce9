"""The widget as a file: whole, small, and good for any page's cache."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import widget
from gateway.problems import problems
from server import BROWSER_HALVES, joined

Client: TypeAlias = TestClient[web.Request, web.Application]

HALVES = [widget.half(room, name) for room, name in BROWSER_HALVES]

PRESENT = joined()
EARLIER = widget.made(b"(()=>{'use strict';/* as it was */})();")


async def archive(name: str) -> bytes | None:
    """An archive that has the present version and one earlier, as after an upgrade."""
    return {each.name: each.script for each in (*PRESENT.files, EARLIER)}.get(name)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems])
    app.add_routes(widget.routes(PRESENT, archive))
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


def test_all_halves_together_are_at_most_8_kilobytes() -> None:
    assert len(PRESENT.compressed) <= 8_000


def test_the_supplement_is_named_by_its_hash_and_served_under_it() -> None:
    supplement = PRESENT.supplement
    assert supplement is not None
    assert widget.address(supplement).encode()[1:] in PRESENT.script
    digest = base64.b64encode(hashlib.sha256(supplement.script).digest())
    assert b'"sha256-%b"' % digest in PRESENT.script
    assert len(supplement.compressed) <= 3_500


def test_what_only_old_browsers_need_is_in_the_supplement() -> None:
    supplement = PRESENT.supplement
    assert supplement is not None
    assert (b"bannerStyle.split" in PRESENT.script, b"bannerStyle" in supplement.script) == (False, True)


def test_style_sheets_take_no_lines() -> None:
    assert b"}\n" not in PRESENT.script


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
    assert script.startswith('(()=>{"use strict";')
    assert script.endswith("})()")
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
        "createElement('style')",
    ],
)
@pytest.mark.parametrize("file", PRESENT.files, ids=["widget", "supplement"])
def test_nothing_in_it_needs_leave_from_a_policy(file: widget.Widget, forbidden: str) -> None:
    assert forbidden not in file.script.decode()


def test_it_speaks_to_the_console_in_one_place() -> None:
    # Of an attribute that is wrong; see the tests in Chromium.
    assert [file.script.count(b"console.") for file in PRESENT.files] == [0, 1]


@pytest.mark.parametrize("file", PRESENT.files, ids=["widget", "supplement"])
def test_no_syntax_newer_than_2019(file: widget.Widget) -> None:
    # Optional chaining, nullish coalescing, private and static members, imports on demand.
    assert re.search(r"\?\.[A-Za-z(\[]|\?\?|\bstatic |this\.#|\bimport\(", file.script.decode()) is None


async def test_is_sent_with_what_other_peoples_pages_need(client: Client) -> None:
    async with client.get("/widget.js", headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert await answer.read() == PRESENT.script


async def test_is_sent_compressed_to_those_who_take_it_so(client: Client) -> None:
    async with client.get("/widget.js", headers={"Accept-Encoding": "br, gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()) == PRESENT.script


@pytest.mark.parametrize("version", [*PRESENT.files, EARLIER], ids=["present", "supplement", "earlier"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_version_that_is_pinned_stays_what_it_is(client: Client, version: widget.Widget, encoding: str) -> None:
    async with client.get(widget.address(version), headers={"Accept-Encoding": encoding}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/javascript")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        # A script with `integrity` is fetched with CORS.
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Vary"] == "Accept-Encoding"
        body = await answer.read()
    script = gzip.decompress(body) if encoding == "gzip" else body
    assert script == version.script
    assert version.integrity == "sha384-" + base64.b64encode(hashlib.sha384(script).digest()).decode()
    assert hashlib.sha256(script).hexdigest().startswith(version.name)


async def test_one_that_was_never_served_is_a_problem_that_names_the_present_one(client: Client) -> None:
    async with client.get(f"/widget-{'0' * widget.NAME_DIGITS}.js") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
        # It may come with an upgrade that is under way.
        assert answer.headers["Cache-Control"] == "no-store"
        assert widget.address(PRESENT) in (await answer.json(content_type=None))["detail"]


@pytest.mark.parametrize("name", ["0", "A" * widget.NAME_DIGITS, "0" * (widget.NAME_DIGITS + 1), "../widget"])
async def test_what_is_no_name_is_not_looked_up(name: str) -> None:
    async def untouched(name: str) -> bytes | None:
        raise AssertionError(name)

    app = web.Application(middlewares=[problems])
    app.add_routes(widget.routes(PRESENT, untouched))
    async with TestClient(TestServer(app)) as client, client.get(f"/widget-{name}.js") as answer:
        assert answer.status == 404


async def test_the_archive_is_asked_once_for_a_version_and_what_is_at_hand_is_bounded() -> None:
    asked: list[str] = []
    versions = {each.name: each.script for each in (widget.made(b"%d" % number) for number in range(20))}

    async def find(name: str) -> bytes | None:
        asked.append(name)
        return versions.get(name)

    app = web.Application(middlewares=[problems])
    app.add_routes(widget.routes(PRESENT, find))
    async with TestClient(TestServer(app)) as client:
        for name in [PRESENT.name, *versions, *list(versions)[-widget.REMEMBERED :]]:
            async with client.get(f"/widget-{name}.js") as answer:
                assert answer.status == 200
        assert asked == list(versions)
        async with client.get(f"/widget-{next(iter(versions))}.js") as answer:
            assert answer.status == 200
        assert len(asked) == len(versions) + 1


@pytest.mark.parametrize("path", ["/widget.js", widget.address(PRESENT)])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_unchanged_file_is_not_sent_again(client: Client, encoding: str, path: str) -> None:
    headers = {"Accept-Encoding": encoding}
    async with client.get(path, headers=headers) as first:
        tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        async with client.get(path, headers={**headers, "If-None-Match": known}) as answer:
            assert answer.status == 304
            assert answer.headers["ETag"] == tag
            assert await answer.read() == b""
    async with client.get(path, headers={**headers, "If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


async def test_the_two_encodings_have_tags_of_their_own(client: Client) -> None:
    tags = set()
    for encoding in ("identity", "gzip"):
        async with client.head("/widget.js", headers={"Accept-Encoding": encoding}) as answer:
            assert answer.status == 200
            tags.add(answer.headers["ETag"])
    assert len(tags) == 2
