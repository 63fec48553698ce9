"""What a store has used: processor time, commands and memory, by its own account.

A script is one command that was sent, and so are several that were sent at once; what scripts call is counted apart.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
from redis import Redis

from benchmarks.errors import StoreUnreadable


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Between two moments, or since the store started.

    Attributes:
        seconds: How long.
        cpu_seconds: Of all its threads, and of children that write its file anew.
        sent: Commands it answered, scripts among them.
        inside: Commands that scripts called, and all but the first of those sent at once.
        memory_bytes: By how much its memory has grown, by its own account.
    """

    seconds: float
    cpu_seconds: float
    sent: int
    inside: int
    memory_bytes: int

    @property
    def cores(self) -> float:
        """The share of a core it used."""
        return self.cpu_seconds / self.seconds

    def since(self, before: Usage) -> Usage:
        """What was used from `before` to this."""
        return Usage(
            seconds=self.seconds - before.seconds,
            cpu_seconds=self.cpu_seconds - before.cpu_seconds,
            sent=self.sent - before.sent,
            inside=self.inside - before.inside,
            memory_bytes=self.memory_bytes - before.memory_bytes,
        )


class Scripts(NamedTuple):
    """How many scripts ran, and how long all of them took by the store's own account."""

    calls: int
    seconds: float


class Meter:
    """Reads a store's figures over a connection of its own, which it leaves out of them.

    Args:
        url: Of the store.
    """

    def __init__(self, url: str) -> None:
        # Its methods are typed for both kinds of clients.
        self._redis: Any = Redis.from_url(url)
        self._asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._redis.close()

    def read(self) -> Usage:
        """Since the store started.

        Raises:
            StoreUnreadable: It does not say what is needed.
        """
        cpu, memory, stats = self._info("cpu"), self._info("memory"), self._info("stats")
        try:
            # The answer to this question is not among them yet, nor is it among the commands.
            sent = stats["total_writes_processed"] - self._asked
            return Usage(
                seconds=time.monotonic(),
                cpu_seconds=sum(cpu[f"used_cpu_{part}"] for part in ("user", "sys", "user_children", "sys_children")),
                sent=sent,
                inside=stats["total_commands_processed"] - self._asked - sent,
                memory_bytes=memory["used_memory"],
            )
        except KeyError as missing:
            raise StoreUnreadable(f"the store does not say {missing}") from None

    def scripts(self) -> Scripts:
        """The scripts that ran since the store started."""
        ran = self._info("commandstats").get("cmdstat_evalsha", {"calls": 0, "usec": 0})
        return Scripts(ran["calls"], ran["usec"] / 1e6)

    def calls(self, *commands: str) -> int:
        """How often these were called since the store started, by scripts or by themselves."""
        called = self._info("commandstats")
        return sum(called.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in commands)

    def _info(self, section: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._redis.info(section)
        self._asked += 1
        return answer
