"""A way to a store on a Unix socket that can be held: for all connections, or for those of one name and process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Way:
    """One connection: of which process, and what its client calls itself."""

    pid: int
    name: str = ""


class Passage:
    """Carries to the store and back.

    Attributes:
        url: Where it is.
        connections: How many were made so far.
    """

    def __init__(self, store_url: str, path: str) -> None:
        self.url = f"unix://{path}"
        self.connections = 0
        self._store = store_url.removeprefix("unix://")
        self._path = path
        self._held: tuple[str, int] | None = None
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    def hold(self, name: str = "", pid: int = 0) -> None:
        """What is under way waits from now on, on new connections too: of clients called `name`, of process `pid`."""
        self._held = name, pid

    def release(self) -> None:
        """Lets everything through."""
        self._held = None
        self._changed.set()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def standing(self) -> AsyncIterator[Passage]:
        """It stands as long as the context."""
        server = await asyncio.start_unix_server(self._lead, self._path)
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        way = _Way(struct.unpack("3i", credentials)[0])
        from_store, to_store = await asyncio.open_unix_connection(self._store)
        self._writers += [writer, to_store]
        for ends in ((reader, to_store), (from_store, writer)):
            self._tasks.add(asyncio.create_task(self._carry(way, *ends)))

    async def _carry(self, way: _Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while some := await reader.read(65536):
                if not way.name and b"SETNAME" in some.upper():
                    way.name = some.upper().partition(b"SETNAME")[2].split(b"\r\n")[2].decode().lower()
                while self._holds(way):
                    await self._changed.wait()
                writer.write(some)
        writer.close()

    def _holds(self, way: _Way) -> bool:
        if self._held is None:
            return False
        name, pid = self._held
        return (not name or way.name == name) and (not pid or way.pid == pid)
