"""The crowd of ``crowd.c`` in Python, for machines without a compiler. Slower: the result shows how busy it was.

Speaks the same commands: see there.
"""

from __future__ import annotations

import json
import os
import random
import resource
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

_ANNOUNCEMENT = b'{"type":"announcement"'
_KEY, _PAGE = b"K" * 21, b"N" * 6
PAGES = 200
_AT_ONCE = struct.pack("ii", 1, 0)
_IP_BIND_ADDRESS_NO_PORT = 24
_CHUNK = 1 << 17


class Reader:
    """One connection."""

    __slots__ = ("answer_at", "answered", "asked", "connection", "heard_at", "rest", "told", "told_at")

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.asked = False
        self.answered = False
        self.heard_at = 0.0
        self.rest = b""
        # When it will acknowledge what it heard; 0: not at all.
        self.answer_at = self.told_at = 0.0
        self.told = b""


class Crowd:
    """All of them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._epoll.register(sys.stdin, select.EPOLLIN)
        self._readers: dict[int, Reader] = {}
        self._requests: list[bytes] = []
        self._lost = self._refused = self._pings = 0
        self._begun = self._wanted = self._in_flight = self._sources = self._port = self._finished = 0
        self._began = self._cpu_began = 0.0
        self._heard = self._awaited = 0
        self._await_until = self._first_cpu = self._last_cpu = 0.0
        self._message = b""
        self._beat_seconds = self._beat_at = self._worst_beat = 0.0
        self._hold_seconds = self._look_at = 0.0
        self._acknowledged = self._to_acknowledge = 0
        self._commands: dict[str, Callable[..., None]] = {
            "join": self._join,
            "arm": self._arm,
            "heard": self._await,
            "acknowledge": self._acknowledge,
            "beat": self._beat,
            "leave": self._leave,
        }

    def run(self) -> None:
        """Serves until standard input ends."""
        while True:
            busy = self._awaited or self._to_acknowledge
            for fd, _ in self._epoll.poll(0.001 if self._beat_seconds else 0.01 if busy else None):
                if fd == sys.stdin.fileno():
                    line = os.read(fd, 1 << 17).decode()
                    if not line:
                        return
                    name, *arguments = line.split()
                    self._commands[name](*arguments)
                elif (reader := self._readers.get(fd)) is not None:
                    self._attend(reader)
            self._go_on()

    # -- commands

    def _join(self, port: str, count: str, sources: str, in_flight: str, request: str) -> None:
        self._forget_all()
        text = bytes.fromhex(request)
        self._wanted, self._in_flight = int(count), int(in_flight)
        self._requests = [
            text.replace(_KEY, b"%021d" % number, 1).replace(_PAGE, b"%06d" % (number % PAGES), 1)
            for number in reversed(range(self._wanted))
        ]
        self._port, self._sources = int(port), int(sources)
        self._cpu_began, self._began = time.process_time(), time.monotonic()

    def _arm(self) -> None:
        for reader in self._readers.values():
            reader.heard_at = 0.0
        self._heard = 0
        _say({"readers": len(self._readers), "lost": self._lost, "pings": self._pings})

    def _await(self, count: str, seconds: str) -> None:
        self._awaited, self._await_until = int(count), time.monotonic() + float(seconds)

    def _acknowledge(self, milliseconds: str) -> None:
        self._hold_seconds = int(milliseconds) / 1000
        _say({"acknowledged": self._acknowledged})

    def _beat(self, milliseconds: str) -> None:
        self._beat_seconds = int(milliseconds) / 1000
        _say({"worst": self._worst_beat})
        if self._beat_seconds:
            self._worst_beat = 0.0

    def _leave(self) -> None:
        self._forget_all()
        _say({})

    # -- connections

    def _begin_one(self) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        connection.bind((f"127.0.0.{2 + self._begun % self._sources}", 0))
        connection.connect_ex(("127.0.0.1", self._port))
        self._begun += 1
        self._readers[connection.fileno()] = Reader(connection)
        self._epoll.register(connection, select.EPOLLOUT)

    def _attend(self, reader: Reader) -> None:
        try:
            if not reader.asked:
                reader.connection.send(self._requests.pop())
                reader.asked = True
                self._epoll.modify(reader.connection, select.EPOLLIN)
                return
            said = reader.connection.recv(_CHUNK)
        except ConnectionError:
            said = b""
        if not said:
            self._end(reader)
            return
        said = reader.rest + said
        if not reader.answered:
            head, blank, said = said.partition(b"\r\n\r\n")
            if not blank:
                reader.rest = head
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self._end(reader)
                return
            reader.answered = True
            self._finished += 1
        reader.rest = self._take_frames(reader, said)

    def _take_frames(self, reader: Reader, said: bytes) -> bytes:
        """Returns what is left of the last frame."""
        while len(said) >= 2:
            head, length = 2, said[1] & 0x7F
            if length == 126:
                head, length = 4, int.from_bytes(said[2:4], "big")
            if len(said) < head + length:
                break
            self._on_frame(reader, said[0] & 0x0F, said[head : head + length])
            said = said[head + length :]
        return said

    def _on_frame(self, reader: Reader, opcode: int, payload: bytes) -> None:
        if opcode == 0x9:
            reader.connection.send(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
            self._pings += 1
        elif opcode == 0xA and len(payload) == 8:
            self._worst_beat = max(self._worst_beat, time.monotonic() - struct.unpack("d", payload)[0])
        elif opcode == 0x1 and payload.startswith(_ANNOUNCEMENT):
            self._on_announcement(reader, payload)

    def _on_announcement(self, reader: Reader, payload: bytes) -> None:
        if self._hold_seconds:
            self._to_acknowledge += not reader.answer_at
            reader.told = payload.partition(b'"id":"')[2][:26]
            reader.told_at = time.monotonic()
            reader.answer_at = reader.told_at + self._hold_seconds * random.random()
        if not reader.heard_at:
            reader.heard_at = time.monotonic()
            self._last_cpu = time.process_time()
            if self._heard == 0:
                self._first_cpu, self._message = self._last_cpu, payload
            self._heard += 1

    def _end(self, reader: Reader) -> None:
        if reader.answered:
            self._lost += 1
        else:
            self._refused += 1
            self._finished += 1
        del self._readers[reader.connection.fileno()]
        reader.connection.close()

    def _forget_all(self) -> None:
        for reader in self._readers.values():
            reader.connection.close()
        self._readers.clear()
        self._begun = self._finished = self._lost = self._refused = self._acknowledged = self._to_acknowledge = 0

    # -- what is due

    def _go_on(self) -> None:
        while self._begun < self._wanted and self._begun - self._finished < self._in_flight:
            self._begin_one()
        if self._wanted and self._finished == self._wanted:
            seconds = time.monotonic() - self._began
            busy = (time.process_time() - self._cpu_began) / seconds
            self._wanted = 0
            _say({"joined": len(self._readers), "refused": self._refused, "seconds": seconds, "busy": busy})
        now = time.monotonic()
        if self._to_acknowledge and now >= self._look_at:
            self._look_at = now + 0.01
            self._acknowledge_due(now)
        if self._awaited and (self._heard >= self._awaited or now > self._await_until):
            self._awaited = 0
            at = [reader.heard_at for reader in self._readers.values() if reader.heard_at]
            span = max(at) - min(at) if len(at) > 1 else 0.0
            busy = (self._last_cpu - self._first_cpu) / span if span else 0.0
            _say({"busy": busy, "at": at, "message": self._message.hex()})
        if self._beat_seconds and now >= self._beat_at:
            self._beat_at = now + self._beat_seconds
            first = next(iter(self._readers.values()))
            first.connection.send(bytes((0x89, 0x88, 0, 0, 0, 0)) + struct.pack("d", now))

    def _acknowledge_due(self, now: float) -> None:
        for reader in self._readers.values():
            if reader.answer_at and reader.answer_at <= now:
                waited = int((now - reader.told_at) * 1000)
                said = b'{"type":"ack","id":"%b","revision":1,"did":"rendered","waited":%d}' % (reader.told, waited)
                reader.connection.send(bytes((0x81, 0x80 | len(said), 0, 0, 0, 0)) + said)
                reader.answer_at = 0.0
                self._to_acknowledge -= 1
                self._acknowledged += 1


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Serves until standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Crowd().run()


if __name__ == "__main__":
    main()
