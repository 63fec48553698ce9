"""The processes beside the service: the crowd that reads, and the bare loop that is the limit.

Both take a command a line and answer with a line of JSON; both end when their input does, so none is left behind
however this process ends.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from benchmarks import machine
from benchmarks.errors import PeerFailed

# Loopback addresses the readers come from: one has 28,000 ports.
SOURCES = 8
# Handshakes under way at a time: enough that the server never waits for one.
IN_FLIGHT = 256

_ANSWER_SECONDS = 10.0
_JOIN_SECONDS = 120.0
_HEARD_SECONDS = 10.0
_END_SECONDS = 5.0


class Peer:
    """A process of the benchmark.

    Args:
        name: For errors.
        command: What starts it.
        core: Where it runs.
    """

    def __init__(self, name: str, command: Sequence[str], core: int) -> None:
        self._name = name
        self._unread = b""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            # Ctrl-C is for us; we then end it.
            start_new_session=True,
        )
        machine.pin(self._process.pid, core)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, line: str, seconds: float = _ANSWER_SECONDS) -> Any:
        """Sends a command and returns the answer.

        Raises:
            PeerFailed: It has ended, or did not answer within `seconds`.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise PeerFailed(self._name, "has ended") from None
        return self.hear(seconds)

    def hear(self, seconds: float = _ANSWER_SECONDS) -> Any:
        """The next line it says, decoded."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise PeerFailed(self._name, f"did not answer within {seconds:.0f} s")
                read = os.read(self._process.stdout.fileno(), 1 << 20)
                if not read:
                    raise PeerFailed(self._name, "has ended")
                self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return msgspec.json.decode(line)


class Joined(NamedTuple):
    """How joining went: seconds from the first connection to the last answer, and how busy the crowd was meanwhile."""

    seconds: float
    busy: float


class Heard(NamedTuple):
    """When each reader heard it, by the clock all processes share, in order; how busy the crowd was; the JSON heard."""

    at: list[float]
    busy: float
    message: bytes


class Crowd(Peer):
    """Thousands of readers in one process."""

    def join(self, port: int, readers: int, request: bytes) -> Joined:
        """Opens `readers` connections and waits until all have been answered.

        Raises:
            PeerFailed: Some were refused.
        """
        answer = self.ask(f"join {port} {readers} {SOURCES} {IN_FLIGHT} {request.hex()}", _JOIN_SECONDS)
        if answer["refused"]:
            raise PeerFailed(self._name, f"{answer['refused']} of {readers} readers were refused")
        return Joined(answer["seconds"], answer["busy"])

    def arm(self) -> None:
        """Forgets what was heard; whoever should still be here must be.

        Raises:
            PeerFailed: Readers have lost their connection.
        """
        lost = self.ask("arm")["lost"]
        if lost:
            raise PeerFailed(self._name, f"{lost} readers lost their connection")

    def heard(self, readers: int) -> Heard:
        """Waits until all have heard an announcement since :meth:`arm`.

        Raises:
            PeerFailed: Some did not.
        """
        answer = self.ask(f"heard {readers} {_HEARD_SECONDS}", _HEARD_SECONDS + _ANSWER_SECONDS)
        at = sorted(answer["at"])
        if len(at) < readers:
            raise PeerFailed(self._name, f"only {len(at)} of {readers} readers heard the announcement")
        return Heard(at, answer["busy"], bytes.fromhex(answer["message"]))

    def acknowledge(self, milliseconds: int) -> int:
        """From now on each reader acknowledges what it hears, a random part of so long later; how many have so far."""
        return int(self.ask(f"acknowledge {milliseconds}")["acknowledged"])

    def begin_beat(self, milliseconds: int) -> None:
        """From now on pings through one reader."""
        self.ask(f"beat {milliseconds}")

    def end_beat(self) -> float:
        """Ends it; returns the seconds the slowest answer took."""
        return float(self.ask("beat 0")["worst"])

    def leave(self) -> None:
        """Closes all connections."""
        self.ask("leave")


class Bare(Peer):
    """The bare loop; it listens on `port`."""

    def __init__(self, command: Sequence[str], core: int) -> None:
        super().__init__("bare loop", command, core)
        self.port = int(self.hear()["port"])

    def send(self, frame: bytes) -> float:
        """Sends `frame` to everybody; returns the seconds from the first `send` to the last.

        Raises:
            PeerFailed: A socket did not take it.
        """
        return float(self.ask(f"send {frame.hex()}")["seconds"])
