"""GET /badge/{site}.svg and .png, over a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import TypeAlias
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from gateway.problems import problems
from gateway.sites import SiteSettings
from presence import badge
from presence.gauge import Count
from presence.places import Kind
from tests.patience import until
from tests.presence.portals import BROWSER, Portal, answered, portal

Client: TypeAlias = TestClient[web.Request, web.Application]

AS_OF = "2026-11-23T07:05:15.900Z"


class Told:
    """In the place of presence and its enquiry: says what it is told to, and how often it was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said = Count(5716, AS_OF, False)
        self.at_places: dict[tuple[Kind, str], int | None] = {}
        self.asked = 0

    def count(self, site: str) -> Count:
        self.asked += 1
        return self.said

    async def readers(self, site: str, kind: Kind, name: str) -> int | None:
        return self.at_places[kind, name]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def client(told: Told) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems])
    sites = {"demo": SiteSettings(), "abroad": SiteSettings(language="en"), "shy": SiteSettings(small_counts=10)}
    app.add_routes(badge.routes(told, told, sites, lambda: told.now))  # type: ignore[arg-type]
    async with TestClient(TestServer(app)) as client:
        yield client


async def text(client: Client, query: str = "", site: str = "demo") -> str:
    async with client.get(f"/badge/{site}.svg{query}") as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.fixture
async def house(valkey_url: str, prefix: str) -> AsyncIterator[Portal]:
    async with portal(valkey_url, prefix) as one:
        yield one


async def test_it_says_what_the_sockets_say(house: Portal) -> None:
    async with ClientSession(house.url, headers=BROWSER) as http, http.ws_connect("/ws?site=demo") as socket:
        assert (await answered(socket))["online"] == 1
        await until(lambda: house.presence.count("demo").online == 1)
        async with http.get("/badge/demo.svg?lang=en") as answer:
            assert 'aria-label="1 reader online' in await answer.text()


@pytest.mark.parametrize(("kind", "type"), [("svg", "image/svg+xml"), ("png", "image/png")])
async def test_is_sent_with_what_other_peoples_pages_need(client: Client, kind: str, type: str) -> None:
    async with client.get(f"/badge/demo.{kind}") as answer:
        assert (answer.status, answer.content_type) == (200, type)
        assert answer.headers["Cache-Control"] == "public, max-age=5"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert ("default-src 'none'" in answer.headers.get("Content-Security-Policy", "")) is (kind == "svg")
        # A script of another site may show the picture, but not read the number off it.
        assert "Access-Control-Allow-Origin" not in answer.headers
        body = await answer.read()
        tag = answer.headers["ETag"]
    async with client.head(f"/badge/demo.{kind}") as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, tag)
        assert int(answer.headers["Content-Length"]) == len(body)
        assert await answer.read() == b""
    async with client.get(f"/badge/demo.{kind}", headers={"If-None-Match": f'W/"x", {tag}'}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
        assert answer.headers["Cache-Control"] == "public, max-age=5"


async def test_a_picture_is_one(client: Client) -> None:
    async with client.get("/badge/demo.png?style=pill&scale=3") as answer:
        image = Image.open(BytesIO(await answer.read()))
        assert image.height == 3 * 28


async def test_the_number_is_written_as_the_language_does(client: Client) -> None:
    assert "5.716 người đang online" in await text(client)
    assert "5,716 readers online" in await text(client, "?lang=en")
    assert "5,716 readers online" in await text(client, site="abroad")


async def test_one_rendering_answers_all_for_five_seconds(client: Client, told: Told) -> None:
    first = await text(client)
    told.said = Count(1, AS_OF, False)
    told.now = 4.9
    assert await text(client, "?utm_source=mail") == first
    assert told.asked == 1
    told.now = 5.0
    assert "1 người" in await text(client)
    assert told.asked == 2
    async with client.get("/badge/demo.svg", headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("count", "vietnamese", "english"),
    [
        (Count(5716, AS_OF, True), "5.716 người đang online (số liệu lúc 14:05)", "5,716 readers online (as of 14:05)"),
        (Count(None, None, True), "– người đang online (chưa có số liệu)", "– readers online (not known yet)"),
        (Count(0, AS_OF, False), "0 người đang online", "0 readers online"),
    ],
)
async def test_a_number_of_before_and_one_not_known_say_so(
    client: Client, told: Told, count: Count, vietnamese: str, english: str
) -> None:
    told.said = count
    assert f'aria-label="{vietnamese}"' in await text(client)
    assert f'aria-label="{english}"' in await text(client, "?lang=en")
    if count.online is None:
        assert ">0<" not in await text(client)


async def test_it_says_who_reads_a_page(house: Portal) -> None:
    async with ClientSession(house.url, headers=BROWSER) as http, http.ws_connect("/ws?site=demo&path=/1") as socket:
        await answered(socket)
        await until(lambda: len(house.presence.holdings["demo"].roster) == 1)
        async with http.get("/badge/demo.svg?lang=en&scope=page&path=/1") as answer:
            assert 'aria-label="1 reader on this page' in await answer.text()
        async with http.get("/badge/demo.svg?lang=en&scope=page&path=/2") as answer:
            assert 'aria-label="0 readers on this page' in await answer.text()


async def test_a_badge_of_a_place_has_its_number_and_words(client: Client, told: Told) -> None:
    told.at_places = {("page", "/tin/1"): 12, ("page", "/tin/2"): 13, ("section", "kinh-te"): 1200}
    assert "12 người đang đọc bài này" in await text(client, "?scope=page&path=/tin/1")
    assert "13 readers on this page" in await text(client, "?scope=page&path=/tin/2&lang=en")
    assert "1.200 người đang đọc mục này" in await text(client, "?scope=section&section=kinh-te")
    # One that is only named is not what is asked for, and makes no other picture.
    asked = told.asked
    assert "5.716 người đang online" in await text(client, "?section=kinh-te")
    assert "5.716 người đang online" in await text(client, "?path=/tin/1")
    assert told.asked == asked + 1
    async with client.get("/badge/demo.png?scope=page&path=/tin/1") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")


async def test_a_place_whose_number_is_not_known_has_a_dash(client: Client, told: Told) -> None:
    told.at_places = {("page", "/1"): None, ("section", "x"): 3}
    assert 'aria-label="– người đang đọc bài này (chưa có số liệu)"' in await text(client, "?scope=page&path=/1")
    # The store is away, and somebody is here.
    told.said = Count(5716, AS_OF, True)
    said = await text(client, "?scope=section&section=x")
    assert 'aria-label="3 người đang đọc mục này (số liệu lúc 14:05)"' in said


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.parametrize(
    "query",
    [
        {"text": "x" * 81},
        {"text": "#" + "W" * 79},
        {"color": "red;"},
        {"style": "x"},
        {"lang": "x"},
        {"background": ""},
        {"scope": "world"},
        {"path": "tin/1"},
        {"path": "/\n"},
        {"path": "/" + "x" * 512},
        {"section": "a b"},
    ],
)
async def test_a_wrong_parameter_is_a_problem_that_names_it(client: Client, kind: str, query: dict[str, str]) -> None:
    async with client.get(f"/badge/demo.{kind}?{urlencode(query)}") as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")
        problem = await answer.json(content_type=None)
    assert [error["field"] for error in problem["errors"]] == list(query)
    assert next(iter(query)) in problem["detail"]


@pytest.mark.parametrize(("query", "missing"), [("scope=page&section=a", "path"), ("scope=section&path=/", "section")])
async def test_a_scope_without_its_place_is_refused(client: Client, query: str, missing: str) -> None:
    async with client.get(f"/badge/demo.svg?{query}") as answer:
        assert answer.status == 400
        assert [error["field"] for error in (await answer.json(content_type=None))["errors"]] == [missing]


async def test_markup_in_a_text_is_text(client: Client) -> None:
    said = await text(client, "?" + urlencode({"text": '"><script>#</script>'}))
    assert "<script" not in said
    assert "&lt;script&gt;" in said


@pytest.mark.parametrize("path", ["/badge/nowhere.svg", "/badge/demo.gif", "/badge/demo"])
async def test_what_there_is_not_is_not_found(client: Client, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_who_would_wait_too_long_is_told_to_come_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(badge, "QUEUE", 0)
    async with client.get("/badge/demo.png") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    # A drawing waits for nobody.
    assert await text(client)


@pytest.mark.parametrize(
    ("online", "query", "said"),
    [
        (1, "", "dưới 10 người đang online"),
        (9, "?lang=en", "fewer than 10 readers online"),
        (9, "?style=counter&lang=en", "&lt;10 readers online"),
        (10, "", "10 người đang online"),
    ],
)
async def test_a_small_number_is_not_told_where_the_site_does_not_want_it(
    client: Client, told: Told, online: int, query: str, said: str
) -> None:
    told.said = Count(online, AS_OF, False)
    assert f'aria-label="{said}"' in await text(client, query, "shy")
