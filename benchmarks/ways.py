"""What an idle reader costs by the way it follows: ``python -m benchmarks.ways [--readers N]``.

A service of its own for each way, one worker; so many readers of one page come, and read. The figure is the growth of
the worker's resident memory over their number. ``after a page`` means on a connection that aiohttp served before, which
is how browsers and proxies mostly come.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from benchmarks import machine
from benchmarks.product import ORIGIN, SITE, Product

_LINES = f"Host: 127.0.0.1\r\nOrigin: {ORIGIN}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
_UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
_SETTLE_SECONDS = 3.0
_PATIENCE_SECONDS = 20.0


def _ask(reader: socket.socket, target: str, lines: str, until: bytes) -> bytes:
    """Sends a GET and reads until `until` has come."""
    reader.sendall(f"GET {target} HTTP/1.1\r\n{_LINES}{lines}\r\n".encode())
    heard = b""
    while until not in heard:
        chunk = reader.recv(65536)
        if not chunk:
            raise click.ClickException(f"{target}: the connection ended after {heard[:80]!r}")
        heard += chunk
    return heard


def _websocket(reader: socket.socket) -> None:
    _ask(reader, f"/ws?site={SITE}&path=/", _UPGRADE, b'"cursor":')


def _events(reader: socket.socket) -> None:
    _ask(reader, f"/events?site={SITE}&path=/", "", b'"inbox":')


def _poll(reader: socket.socket) -> None:
    answer = _ask(reader, f"/poll?site={SITE}&path=/", "", b'"inbox":')
    session = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["session"]
    lines = f"GET /poll?site={SITE}&path=/&session={session} HTTP/1.1\r\n{_LINES}\r\n"
    reader.sendall(lines.encode())


def _after_a_page(way: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def follow(reader: socket.socket) -> None:
        _ask(reader, f"/api/v1/sites/{SITE}/presence", "", b'"freshness_seconds"')
        way(reader)

    return follow


_WAYS: dict[str, Callable[[socket.socket], None]] = {
    "websocket": _websocket,
    "websocket, after a page": _after_a_page(_websocket),
    "events": _events,
    "events, after a page": _after_a_page(_events),
    "poll": _poll,
    "poll, after a page": _after_a_page(_poll),
}


@click.command()
@click.option("--readers", default=3000, show_default=True, help="Readers of each way.")
@click.option("--way", "names", multiple=True, type=click.Choice([*_WAYS]), help="Only these.  [default: all]")
def main(readers: int, names: tuple[str, ...]) -> None:
    """Measure memory per idle reader by the way it follows."""
    machine.allow_descriptors(readers)
    for name in names or _WAYS:
        follow = _WAYS[name]
        with (
            tempfile.TemporaryDirectory() as directory,
            Product(Path(directory), readers, machine.cores().server) as one,
        ):
            before = one.resident_bytes()
            connections = []
            try:
                for _ in range(readers):
                    connection = socket.create_connection(("127.0.0.1", one.port), _PATIENCE_SECONDS)
                    connections.append(connection)
                    follow(connection)
                # What the last of them brought about is over, and garbage is collected.
                time.sleep(_SETTLE_SECONDS)
                grown = one.resident_bytes() - before
            finally:
                for connection in connections:
                    connection.close()
        click.echo(f"{name:26}{grown / readers / 1024:6.2f} KB")


if __name__ == "__main__":
    main()
