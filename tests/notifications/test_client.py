"""What ``client.act`` makes of a service that fails in every way, on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import socket
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from gateway.problems import CONTENT_TYPE, Problem
from notifications import client
from notifications.client import Service, act
from settings.commandline import Failure
from store import runfile
from tests.patience import until

KEY = "bai-4711"
ADVICE = f"; it may have been carried out, repeat it with --key {KEY}"
DONE = {"id": "a", "sessions": 3, "durability": "disk", "replayed": False}

# A status with a text, a problem or a document; or what happens instead of an answer.
Step: TypeAlias = tuple[int, str | dict[str, object]] | Problem | str

NOT_SENT = Problem(503, "Not sent", "Not sent: no store.", members={"outcome": "not_sent"})
UNKNOWN = Problem(503, "Outcome unknown", "Unknown whether it was sent.", members={"outcome": "unknown"})
FAILED = Problem(500, detail="The server failed to answer; it has logged why.")
LAPSED = Problem(401, detail="The token is not valid: it is mistyped, revoked or expired.")
HANG_UP, GONE, SILENCE = "hang up", "gone", "silence"


class Script:
    """A service that answers try after try by `steps`, the last one again and again."""

    def __init__(self, *steps: Step) -> None:
        self.tries: list[tuple[str, Any]] = []
        self._site: web.BaseSite
        self._steps = steps
        self._over = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self, bound: socket.socket | None = None) -> AsyncIterator[Service]:
        """Where it is: on `bound`, or on a port of its own."""
        app = web.Application()
        app.add_routes([web.post("/x", self._answer)])
        runner = web.AppRunner(app)
        await runner.setup()
        self._site = web.SockSite(runner, bound) if bound else web.TCPSite(runner, "127.0.0.1", 0)
        await self._site.start()
        port = runner.addresses[0][1]
        try:
            yield Service(f"http://127.0.0.1:{port}", local=True)
        finally:
            self._over.set()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.tries.append((request.headers["Idempotency-Key"], await request.json()))
        step = self._steps[min(len(self.tries), len(self._steps)) - 1]
        if isinstance(step, Problem):
            return step.response()
        if isinstance(step, tuple):
            status, told = step
            return web.json_response(told, status=status) if isinstance(told, dict) else _page(status, told)
        if step == SILENCE:
            await self._over.wait()
        if step == GONE:
            await self._site.stop()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


def _page(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries as usual, without the pauses."""
    monkeypatch.setattr(client, "PAUSES_SECONDS", tuple(0.0 for _ in client.PAUSES_SECONDS))


async def failure(*steps: Step) -> tuple[str, int]:
    """What it says in the end, and after how many tries."""
    script = Script(*steps)
    async with script.serving() as service:
        with pytest.raises(Failure) as failed:
            await act(service, "token", "/x", {"title": "Lũ"}, KEY)
    assert {key for key, _ in script.tries} == {KEY}
    assert all(body == {"title": "Lũ"} for _, body in script.tries)
    assert "\n" not in failed.value.message
    return failed.value.message, len(script.tries)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ((HANG_UP, NOT_SENT), "broke off"),
        ((UNKNOWN, NOT_SENT), "Unknown whether it was sent"),
        ((NOT_SENT, HANG_UP, NOT_SENT), "broke off"),
        (((502, "<h1>Bad Gateway</h1>"), NOT_SENT), "answered 502, and not as this service does"),
        (((504, ""),), "answered 504, and not as this service does"),
        ((FAILED,), "The server failed to answer; it has logged why"),
        ((FAILED, NOT_SENT), "The server failed to answer; it has logged why"),
        ((HANG_UP, LAPSED), "The token is not valid: it is mistyped, revoked or expired"),
        ((UNKNOWN, Problem(429, detail="Too fast.")), "Too fast"),
        ((UNKNOWN, (403, "<h1>Forbidden</h1>")), "answered 403, and not as this service does"),
        ((UNKNOWN, GONE), "no service answers at"),
        ((NOT_SENT, GONE), "no service answers at"),
        (((200, "<h1>Welcome to this network</h1>"), NOT_SENT), "answered 200, and not as this service does"),
        (((200, {"ok": True}), NOT_SENT), "answered 200, and not as this service does"),
        (((503, {"message": "no upstream"}), NOT_SENT), "the service answered 503"),
    ],
)
async def test_what_may_have_been_carried_out_is_never_told_as_not_sent(steps: tuple[Step, ...], says: str) -> None:
    told, _ = await failure(*steps)
    assert says in told
    assert told.endswith(ADVICE)
    assert re.search("not sent", told, re.IGNORECASE) is None


@pytest.mark.parametrize(
    ("steps", "says", "tries"),
    [
        ((NOT_SENT,), "Not sent: no store", 5),
        ((Problem(422, detail="title: is missing"),), "title: is missing", 1),
        ((LAPSED,), "The token is not valid: it is mistyped, revoked or expired", 1),
        ((NOT_SENT, LAPSED), "The token is not valid: it is mistyped, revoked or expired", 2),
        (((404, "<h1>Not Found</h1>"),), "answered 404, and not as this service does", 1),
        (((301, ""),), "answered 301, and not as this service does", 1),
    ],
)
async def test_what_was_not_carried_out_asks_for_no_repetition(steps: tuple[Step, ...], says: str, tries: int) -> None:
    told, tried = await failure(*steps)
    assert told.endswith(says)
    assert tried == tries


@pytest.mark.parametrize(
    "step", [HANG_UP, UNKNOWN, NOT_SENT, FAILED, (502, "<h1>Bad Gateway</h1>"), (504, ""), (200, "<h1>Welcome</h1>")]
)
async def test_tries_again_until_it_is_answered(step: Step) -> None:
    script = Script(step, step, (201, DONE))
    async with script.serving() as service:
        assert await act(service, "token", "/x", {}, KEY) == DONE
    assert [key for key, _ in script.tries] == [KEY] * 3


async def test_silence_may_mean_that_it_was_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(client, "PAUSES_SECONDS", (0.0,))
    told, tried = await failure(SILENCE)
    assert "did not answer within 0.05 s" in told
    assert told.endswith(ADVICE)
    assert tried == 2


async def test_what_nobody_has_taken_was_not_carried_out(nobodys_port: int) -> None:
    with pytest.raises(Failure) as failed:
        await act(Service(f"http://127.0.0.1:{nobodys_port}", local=True), "token", "/x", {}, KEY)
    assert "no service answers at" in failed.value.message
    assert KEY not in failed.value.message


async def test_waits_longer_for_workers_that_are_being_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RESTART_SECONDS", math.inf)
    asked: list[int] = []
    monkeypatch.setattr(runfile, "alive", lambda pid: asked.append(pid) is None)
    script = Script((201, DONE))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        service = Service(f"http://127.0.0.1:{bound.getsockname()[1]}", local=True, supervisor=4711)
        acting = asyncio.create_task(act(service, "token", "/x", {}, KEY))
        await until(lambda: len(asked) > 3)
        async with script.serving(bound):
            assert await acting == DONE
    assert set(asked) == {4711}
    assert len(script.tries) == 1


@pytest.mark.parametrize(("alive", "seconds"), [(True, 0.0), (False, math.inf)])
async def test_does_not_wait_for_ever_nor_for_what_nobody_starts(
    monkeypatch: pytest.MonkeyPatch, nobodys_port: int, alive: bool, seconds: float
) -> None:
    monkeypatch.setattr(client, "RESTART_SECONDS", seconds)
    monkeypatch.setattr(runfile, "alive", lambda _: alive)
    service = Service(f"http://127.0.0.1:{nobodys_port}", local=True, supervisor=4711)
    with pytest.raises(Failure, match="no service answers at"):
        await act(service, "token", "/x", {}, KEY)


def test_problems_are_what_the_service_sends() -> None:
    """Else the script would prove nothing of the service."""
    assert NOT_SENT.response().content_type == CONTENT_TYPE
