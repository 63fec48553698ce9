"""A request's name: in the answer, on log lines, in the document of an error of ours; and who may give it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from gateway.addresses import Addresses
from gateway.door import Door
from gateway.problems import problems
from gateway.request_ids import HEADER, name_requests, tell


async def asked(
    path: str, headers: dict[str, str] | None = None, trusted: tuple[str, ...] = ()
) -> tuple[str, Any, list[dict[str, Any]]]:
    """What `path` answers: the id in its head, its document, and what was logged meanwhile."""
    log = structlog.get_logger()

    async def good(_: web.Request) -> web.Response:
        log.info("at work")
        return web.json_response({})

    async def bad(_: web.Request) -> web.Response:
        raise RuntimeError("nobody reckoned with it")

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPSeeOther("/good")

    door = cast(Door, SimpleNamespace(addresses=Addresses(trusted, ())))
    app = web.Application(middlewares=[name_requests(door), problems])
    app.on_response_prepare.append(tell)
    app.add_routes([web.get("/good", good), web.get("/bad", bad), web.get("/elsewhere", elsewhere)])
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        async with (
            TestServer(app) as server,
            aiohttp.ClientSession() as client,
            client.get(server.make_url(path), headers=headers, allow_redirects=False) as answer,
        ):
            document = await answer.json(content_type=None) if answer.content_type.endswith("json") else None
            return answer.headers[HEADER], document, logged


async def test_stands_in_the_answer_and_on_each_line() -> None:
    id, _, logged = await asked("/good?token=geheim")
    assert re.fullmatch("[0-9a-f]{16}", id)
    assert [(line["event"], line["request_id"]) for line in logged] == [("at work", id), ("request", id)]
    assert logged[1]["path"] == "/good"
    assert "geheim" not in str(logged)
    assert (await asked("/good"))[0] != id


async def test_an_error_of_ours_names_it() -> None:
    id, document, logged = await asked("/bad")
    assert (document["status"], document["request_id"]) == (500, id)
    failed = next(line for line in logged if line["event"] == "request failed")
    assert failed["request_id"] == id


async def test_a_redirection_and_what_is_not_there_have_one() -> None:
    assert (await asked("/elsewhere"))[0]
    id, document, _ = await asked("/nowhere")
    assert id
    assert "request_id" not in document


@pytest.mark.parametrize(
    ("given", "trusted", "believed"),
    [
        ("4f1c09aa-77de", ("127.0.0.0/8",), True),
        ("4f1c09aa-77de", (), False),
        ("4f1c09aa-77de", ("10.0.0.0/8",), False),
        ("short", ("127.0.0.0/8",), False),
        ("x" * 65, ("127.0.0.0/8",), False),
        ("4f1c09aa 77de", ("127.0.0.0/8",), False),
    ],
)
async def test_only_a_trusted_proxy_may_give_it(given: str, trusted: tuple[str, ...], believed: bool) -> None:
    id, _, logged = await asked("/good", {HEADER: given}, trusted)
    assert (id == given) is believed
    assert logged[0]["request_id"] == id
