"""What aiohttp has to do with following over HTTP: the inbox, preflights, and connections it must give back.

A browser that has fetched ``widget.js`` asks for ``/events`` and ``/poll`` on the same connection, which aiohttp serves
by then. aiohttp's protocol and task would stay with it, at ten times the price of the session. So the connection is
taken from aiohttp, which is told that it was lost, and the request goes to a gate as if the connection were fresh:
there is one way in, and all that can be seen of it is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

from aiohttp import web

from gateway import cors
from gateway.door import Door
from gateway.errors import Refusal
from gateway.heads import Guest
from gateway.inbox import PATH, Inboxes
from gateway.problems import Problem

_REFUSED = {
    403: ("origin", "Pages of this origin may not speak to this session."),
    404: ("session", "There is no such session any more; connect anew."),
    503: ("worker", "The worker that holds the session does not answer."),
}


def routes(door: Door, inboxes: Inboxes) -> list[web.RouteDef]:
    """The routes to add to the application behind the gate."""
    say = PATH + "{id}"
    return [
        *(web.get(path, _give_back(door), allow_head=False) for path in ("/events", "/poll")),
        *(web.options(path, _preflight(inboxes, "GET")) for path in ("/events", "/poll")),
        web.post(say, _say(door, inboxes)),
        web.options(say, _preflight(inboxes, "POST")),
    ]


def _give_back(door: Door) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def give_back(request: web.Request) -> web.StreamResponse:
        """Gives the connection to a fresh gate, and the request with it."""
        transport, fresh = request.transport, door.fresh
        if transport is None or fresh is None:
            # Gone while the request waited for its turn; there is nobody to answer.
            return web.Response(status=400)
        lines = [f"GET {_target(request)} HTTP/{request.version.major}.{request.version.minor}\r\n".encode()]
        lines += [name + b": " + value + b"\r\n" for name, value in request.raw_headers]
        cast(Guest, request.protocol).release()
        gate = fresh()
        transport.set_protocol(gate)
        gate.connection_made(transport)
        gate.data_received(b"".join(lines) + b"\r\n")
        # Nobody is left to read it; aiohttp finds the connection lost and ends quietly.
        return web.Response()

    return give_back


def _target(request: web.Request) -> str:
    """What is asked for, as the gate knows it.

    aiohttp finds the same path in ``/%65vents``, ``http://host/events`` and ``/events#x``, of which the gate knows
    nothing: it would hand each of them back here, and here it would be given back, for ever.
    """
    query = request.rel_url.raw_query_string
    return f"{request.path}?{query}" if query else request.path


def _preflight(inboxes: Inboxes, methods: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def preflight(request: web.Request) -> web.StreamResponse:
        """Says what pages of the origin may send; widgets of ours send nothing that a browser would ask about."""
        origin = request.headers.get("Origin", "")
        allowed = inboxes.desk.allows(origin, request.query.get("site"))
        return web.Response(status=204, headers=cors.preflight(origin, allowed, methods))

    return preflight


def _say(door: Door, inboxes: Inboxes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def say(request: web.Request) -> web.StreamResponse:
        """Hears one message of a browser."""
        origin = request.headers.get("Origin", "")
        headers = {"Cache-Control": "no-store", **dict(inboxes.readable(origin))}
        id, address = request.match_info["id"], door.address_of(request)
        try:
            if not inboxes.here(id):
                door.believe(address)
            status = await inboxes.say(id, origin, await _body(request, door))
            if status == HTTPStatus.NOT_FOUND:
                door.misses.note(address, door.clock())
            if status in _REFUSED:
                reason, detail = _REFUSED[status]
                raise Problem(status, detail=detail, members={"reason": reason})
            answer = web.Response(status=status)
        except Problem as problem:
            answer = problem.response()
        except Refusal as refusal:
            members, more = {"reason": refusal.reason}, dict(refusal.headers)
            answer = Problem(refusal.status, detail=refusal.detail, headers=more, members=members).response()
        answer.headers.update(headers)
        # Kept open, each would cost as much as ten sessions, for a word now and then.
        answer.force_close()
        return answer

    return say


async def _body(request: web.Request, door: Door) -> bytes:
    """The message, as long as a WebSocket's may be.

    Raises:
        Problem: It is longer, or does not come.
    """
    limit = door.message_bytes
    try:
        async with asyncio.timeout(door.settings.handshake_seconds):
            await request.content.readexactly(limit + 1)
    except asyncio.IncompleteReadError as all_of_it:
        return all_of_it.partial
    except TimeoutError:
        raise Problem(408, detail="The message did not come in time.") from None
    raise Problem(413, detail=f"A message may be {limit} bytes.")
