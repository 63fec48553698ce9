"""Every error is a problem document, and tells nothing it should not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from gateway.problems import FieldError, Problem, problems


async def refuse(request: web.Request) -> web.Response:
    raise Problem(
        422,
        "Not an announcement",
        "Two fields are wrong.",
        type="https://example.vn/problems/fields",
        errors=[FieldError(field="title", pointer="/title", detail="too long")],
        headers={"Retry-After": "3"},
        members={"limit": 120},
    )


async def fail(request: web.Request) -> web.Response:
    raise RuntimeError("secret of the house")


async def invent(request: web.Request) -> web.Response:
    raise Problem(499)


async def move(request: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/elsewhere")


async def take(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def answer(request: web.Request) -> web.Response:
    raise web.HTTPServiceUnavailable(headers={"Retry-After": "7"}, text="a page in plain text")


Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems], client_max_size=100)
    for handler in (refuse, fail, invent, move, answer):
        app.router.add_get(f"/{handler.__name__}", handler)
    app.router.add_post("/take", take)
    async with TestClient(TestServer(app)) as testing:
        yield testing


async def document(response: ClientResponse, status: int) -> dict[str, Any]:
    """The problem document of an answer."""
    assert response.status == status
    assert response.headers["Content-Type"].startswith("application/problem+json")
    problem: dict[str, Any] = json.loads(await response.read())
    assert problem["status"] == status
    return problem


async def test_a_problem(client: Client) -> None:
    response = await client.get("/refuse")
    assert await document(response, 422) == {
        "type": "https://example.vn/problems/fields",
        "title": "Not an announcement",
        "status": 422,
        "detail": "Two fields are wrong.",
        "errors": [{"field": "title", "pointer": "/title", "detail": "too long"}],
        "limit": 120,
    }
    assert response.headers["Retry-After"] == "3"


async def test_what_nobody_foresaw_is_logged_and_not_told(client: Client) -> None:
    with capture_logs() as logs:
        response = await client.get("/fail")
    problem = await document(response, 500)
    assert problem["title"] == "Internal Server Error"
    assert "secret" not in json.dumps(problem)
    (entry,) = logs
    assert (entry["event"], entry["path"], str(entry["exc_info"])) == ("request failed", "/fail", "secret of the house")


async def test_errors_of_aiohttp(client: Client) -> None:
    assert (await document(await client.get("/nothing"), 404))["detail"] == "There is nothing at /nothing."
    response = await client.post("/refuse")
    assert (await document(response, 405))["detail"] == "/refuse takes GET, HEAD."
    assert response.headers["Allow"] == "GET,HEAD"
    too_long = await client.post("/take", data=b"a" * 101)
    assert (await document(too_long, 413))["detail"] == "The request is longer than this address takes."
    response = await client.get("/answer")
    assert (await document(response, 503))["title"] == "Service Unavailable"
    assert response.headers["Retry-After"] == "7"


async def test_a_status_nobody_registered(client: Client) -> None:
    assert (await document(await client.get("/invent"), 499))["title"] == "Error"


async def test_what_is_no_error_passes(client: Client) -> None:
    response = await client.get("/move", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/elsewhere")
    assert await (await client.post("/take", data=b"a" * 100)).read() == b"a" * 100


def test_a_problem_in_one_line() -> None:
    assert str(Problem(404, detail="There is no such site.")) == "404 Not Found: There is no such site."
