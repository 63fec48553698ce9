from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from operations.doctor.reaching import readiness


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"reasons":["\xff"]}', b"[" * 100_000])
async def test_an_answer_that_is_no_readiness_is_none(body: bytes) -> None:
    """Whatever else listens there must not end the doctor."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get("/readyz", answer)
    async with TestServer(app) as server:
        reasons, why = await readiness(str(server.make_url("")).rstrip("/"))
    assert reasons is None
    assert why
