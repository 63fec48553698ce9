"""An echo through the same gate and sessions, for conformance suites.

``python -m gateway.echo --port N`` serves ``/ws``.
It sends back every message as it came. Limits of rate are off and messages may be long, since suites send both; all
else is what the service does.
"""

from __future__ import annotations

import asyncio
import os

import click
import uvloop
from websockets.frames import Opcode

from gateway import frames
from gateway.door import Door
from gateway.handshake import Upgrade
from gateway.listening import listen
from gateway.session import Session
from gateway.settings import GatewaySettings


class EchoDesk:
    """Lets everybody in and repeats what they say."""

    def admit(self, upgrade: Upgrade) -> None:
        """Anybody may come in."""

    def opened(self, session: Session) -> bytes:
        """Says nothing first."""
        return b""

    def answered(self, session: Session) -> None:
        """Nobody waits for it."""

    def received(self, session: Session, message: frames.Message) -> None:
        """Sends the message back, whole."""
        encode = frames.text if message.opcode is Opcode.TEXT else frames.binary
        session.send(encode(message.payload))

    def closed(self, session: Session) -> None:
        """Nothing is kept."""


async def serve(host: str, port: int, message_bytes: int) -> None:
    """Serves until cancelled; prints the address first."""
    settings = GatewaySettings(messages_per_second=1e9, message_burst=1_000_000_000)
    door = Door(settings, EchoDesk(), message_bytes=message_bytes)
    server = await listen(door, None, host, port, reuse_port=False)
    click.echo(f"echo at ws://{host}:{server.sockets[0].getsockname()[1]}/ws")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(door.wheel.run())
        tasks.create_task(door.sweep())


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9001, show_default=True, help="TCP port to listen on.")
@click.option("--max-message", default=64 * 2**20, show_default=True, help="Longest message, in bytes.")
def main(host: str, port: int, max_message: int) -> None:
    """Echo every WebSocket message back, through the gate of Loa."""
    try:
        uvloop.run(serve(host, port, max_message))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        # asyncio puts a sentence of its own into `strerror`.
        why = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"{host}:{port}: {why}") from None


if __name__ == "__main__":
    main()
