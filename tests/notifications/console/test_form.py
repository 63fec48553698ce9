from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from notifications.console import form


async def answered(body: bytes | AsyncIterator[bytes], kind: str = form.CONTENT_TYPE) -> tuple[int, str]:
    async def read(request: web.Request) -> web.Response:
        sent = await form.read(request)
        return web.json_response([sent.get("a"), sent.all("a"), sent.has("b"), sent.names()])

    app = web.Application()
    app.router.add_post("/", read)
    async with TestClient(TestServer(app)) as client:
        answer = await client.post("/", data=body, headers={"Content-Type": kind})
        return answer.status, await answer.text()


async def test_fields() -> None:
    status, text = await answered(b"a=m%E1%BB%99t%0D%0Ahai&a=2&b=&c")
    assert status == 200
    assert text == '["m\\u1ed9t\\nhai", ["m\\u1ed9t\\r\\nhai", "2"], true, ["a", "b", "c"]]'


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=" + b"x" * form.MAX_BYTES, form.CONTENT_TYPE, 413),
        (b"&".join([b"a=1"] * (form.MAX_FIELDS + 1)), form.CONTENT_TYPE, 413),
        (b"a=%FF", form.CONTENT_TYPE, 400),
        (b"a=\xff", form.CONTENT_TYPE, 400),
        (b"{}", "application/json", 415),
        (b"a=1", "text/plain", 415),
    ],
)
async def test_what_is_not_read(body: bytes, kind: str, status: int) -> None:
    assert (await answered(body, kind))[0] == status


async def test_an_empty_form_is_empty() -> None:
    assert (await answered(b""))[1] == '["", [], false, []]'


async def test_one_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "READ_SECONDS", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"a="
        await asyncio.get_running_loop().create_future()

    assert (await answered(never()))[0] == 408
