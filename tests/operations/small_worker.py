"""A worker without rooms, for tests of what is around them: it listens, counts connections, and does as it is told.

``python -m tests.operations.small_worker --fd N``. What the settings' key ``conduct`` says is what it does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from operations.figures import Histogram, WorkerFigures
from operations.intercom import NODE, SUPERVISOR, Intercom, Start
from operations.settings import OperationsSettings, ServerSettings
from operations.worker import Rooms, run
from store.errors import StoreError
from store.settings import RedisSettings


class SmallSettings(msgspec.Struct, kw_only=True):
    """The settings of a service of small workers; `conduct` is one of the cases below."""

    conduct: str = "well"
    server: ServerSettings = ServerSettings()
    operations: OperationsSettings = OperationsSettings()
    redis: RedisSettings = RedisSettings()


class Refusing(StoreError):
    """What a worker that cannot start says."""


def _lacks(conduct: str) -> bool:
    """Whether it "waits for" a file that is not there."""
    verb, _, awaited = conduct.rpartition(" for ")
    return verb == "waits" and not Path(awaited).exists()


def _stumbles(conduct: str) -> bool:
    """Whether it "refuses over" a file that is there."""
    verb, _, feared = conduct.rpartition(" over ")
    return verb == "refuses" and Path(feared).exists()


@asynccontextmanager
async def build(start: Start, intercom: Intercom) -> AsyncIterator[Rooms]:
    """A server that answers every connection with its index and process id, and then obeys one word a line."""
    settings = msgspec.json.decode(start.settings, type=SmallSettings)
    if settings.conduct == "refuses":
        raise Refusing("the small worker\nrefuses")
    if _stumbles(settings.conduct):
        raise Refusing("the new worker refuses")
    if settings.conduct == "exits":
        os._exit(7)
    while _lacks(settings.conduct):
        await asyncio.sleep(0.01)
    counted = 0
    failures: dict[str, BaseException] = {}
    connections: set[asyncio.StreamWriter] = set()

    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal counted
        counted += 1
        connections.add(writer)
        writer.write(f"{start.index} {os.getpid()}\n".encode())
        async for line in reader:
            match line.split():
                case [b"fail"]:
                    failures["task"] = RuntimeError("dead")
                case [b"delivered", name, sessions]:
                    intercom.report_delivered(name.decode(), int(sessions), 0.001)
                    writer.write(b"told\n")
                case [b"total", name, seconds]:
                    total = await intercom.delivered_total(name.decode(), float(seconds))
                    writer.write(f"{total}\n".encode())
                case [b"node"]:
                    node = await intercom.ask(SUPERVISOR, NODE)
                    writer.write(f"{node}\n".encode())
                case [b"nonsense"]:
                    writer.write(f"{await intercom.ask(SUPERVISOR, 'nonsense')}\n".encode())
        connections.discard(writer)
        writer.close()

    def figures() -> WorkerFigures:
        fanout = Histogram.over([0.1, 1.0])
        fanout.observe(0.05)
        return WorkerFigures(
            sessions={"demo": len(connections)},
            online={"demo": 7},
            handshakes={"accepted": counted},
            deliveries=counted * 10,
            fanout=fanout,
            unready=["feed: has not begun"] if settings.conduct == "unready" else [],
        )

    async def drain(seconds: float) -> None:
        if settings.conduct == "clings":
            await asyncio.sleep(seconds + 60)
        for writer in [*connections]:
            writer.write(b"bye\n")
            writer.close()

    server = await asyncio.start_server(obey, start.host or None, start.port, reuse_port=True)
    try:
        yield Rooms(figures=figures, drain=drain, failures=lambda: failures)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[2]), build))
