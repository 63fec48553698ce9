"""Opens the public port with the gate on it, and closes it again.

Several workers share the port by ``SO_REUSEPORT``; the kernel spreads connections over them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from aiohttp import hdrs, web

from gateway.closing import CloseCode
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.gate import Gate, Neighbour
from gateway.hub import Hub

BACKLOG = 4096
# Bounds what the kernel keeps for a browser that does not read; by itself it would grow to megabytes each.
_SEND_BUFFER_BYTES = 65_536
# Closed at a go while draining; then the loop is given back.
_CLOSE_SLICE = 200
# In one turn of the loop it is seen that somebody waits, in the next they are taken in.
_ACCEPT_TURNS = 3
# A connection that was there when the port closed has so long to ask for something. Browsers open some that never do.
_ASK_SECONDS = 0.5


async def listen(
    door: Door,
    neighbour: Neighbour | None,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    reuse_port: bool = True,
) -> asyncio.Server:
    """Opens the port.

    Args:
        door: What the connections share.
        neighbour: Makes protocols for what is not a WebSocket.
        host: Address or name to listen on.
        port: TCP port, 0 for any.
        tls: With it, TLS is spoken on the port and nothing else.
        reuse_port: Whether other workers may open the same port.

    Raises:
        OSError: The port cannot be opened.
    """
    # The gate counts the same time from the same moment: what TLS leaves of it is left for the request.
    deadline = door.settings.handshake_seconds if tls is not None else None
    door.fresh = partial(Gate, door, neighbour)
    server = await asyncio.get_running_loop().create_server(
        door.fresh,
        host or None,
        port,
        backlog=BACKLOG,
        reuse_port=reuse_port,
        ssl=tls,
        ssl_handshake_timeout=deadline,
    )
    for listener in server.sockets:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    return server


def tls_context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """TLS for the public port.

    Raises:
        OSError, ssl.SSLError: The files cannot be read or do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, private_key)
    return context


async def shut(listener: asyncio.Server) -> None:
    """Closes the port; whom the kernel holds for us already is taken in first, or would find the connection reset."""
    for _ in range(_ACCEPT_TURNS):
        await asyncio.sleep(0)
    listener.close()


async def drain(door: Door, desk: FrontDesk, hub: Hub, seconds: float) -> int:
    """Sends everybody away with a delay of their own, and waits for them to go, and for arrivals to have asked.

    Args:
        door: Lets nobody in from now on.
        desk: Assigns the delays.
        hub: Holds who is here.
        seconds: How long to wait; who is here then is left to the end of the process.

    Returns:
        How many were sent away.
    """
    door.draining = True
    sent = 0
    for session in hub.everyone():
        session.close(CloseCode.RESTART, desk.retry_ms())
        sent += 1
        if sent % _CLOSE_SLICE == 0:
            await asyncio.sleep(0)
    deadline = door.clock() + seconds
    while door.sessions and door.clock() < deadline:
        await asyncio.sleep(0.02)
    # The kernel had given it to us; another worker cannot have it, and its request would end with no answer.
    patience = min(deadline, door.clock() + _ASK_SECONDS)
    while door.arrivals and door.clock() < patience:
        await asyncio.sleep(0.02)
    return sent


def last_answers(door: Door) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Ends the connection with each answer once the port drains, so that its next request goes to another worker.

    Returns:
        A listener of ``on_response_prepare``.
    """

    async def end(request: web.Request, answer: web.StreamResponse) -> None:
        if door.draining:
            answer.force_close()
            answer.headers[hdrs.CONNECTION] = "close"

    return end
