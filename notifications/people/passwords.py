"""Passwords, hashed by Argon2id: slow on purpose, so in threads of their own, few at a time.

A check takes a core for about a tenth of a second and 32 MiB. At most `THREADS` run at once in a worker, while
readers' connections go on in the loop; `QUEUE` more may wait, and whoever comes then is told to come again. So all
sign-ins together, of however many strangers, cost a worker at most `THREADS` cores and 64 MiB.

A name that nobody has is checked against a hash that fits nothing, at the same cost: time does not tell names.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from notifications.people.errors import TooManyHashes
from notifications.people.user import comparable

T = TypeVar("T")

THREADS = 2
QUEUE = 16
# So many of the places to wait are kept for devices that have signed in before: a flood of strangers fills the others.
RESERVED = 8
RETRY_SECONDS = 3
_SALT_BYTES = 16
_HASH_BYTES = 32
# A hash in the store that asks for more than this many times our cost was not written by us.
_MOST_TIMES = 8


class Cost(msgspec.Struct, frozen=True):
    """What one hash costs: RFC 9106's second choice, with less memory and more passes, for machines with many workers.

    Attributes:
        passes: How often the memory is gone through.
        memory_kib: How much memory.
        lanes: How many threads one hash takes.
    """

    passes: int = 4
    memory_kib: int = 32 * 1024
    lanes: int = 1


class Hasher:
    """Hashes and checks passwords; one per worker, `close` it in the end.

    Args:
        cost: What a new hash costs; one that costs otherwise is made anew when its owner signs in.
        threads: So many at a time.
        queue: So many more may wait.
    """

    def __init__(self, cost: Cost | None = None, threads: int = THREADS, queue: int = QUEUE) -> None:
        cost = cost or Cost()
        self._cost = cost
        self._argon = PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
            type=Type.ID,
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._most = threads + queue
        self._reserved = min(RESERVED, queue // 2)
        self._pending = 0
        self._nobody = self._unmatched()

    async def hash(self, password: str) -> str:
        """The text to store for a new password.

        Raises:
            TooManyHashes: Too many wait.
        """
        return await self._run(lambda: self._argon.hash(comparable(password)))

    async def check(self, stored: str | None, password: str, *, stranger: bool = False) -> bool:
        """Whether `password` is the one that `stored` was made of; None is compared with as slowly as any.

        Args:
            stored: What `hash` returned; None for a name that nobody has.
            password: As typed.
            stranger: Whether it comes from a device that has not signed in before; those wait in fewer places.

        Raises:
            TooManyHashes: Too many wait.
        """
        text = stored if stored is not None and self._affordable(stored) else self._nobody

        def verify() -> bool:
            try:
                return self._argon.verify(text, comparable(password))
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(verify, self._reserved if stranger else 0)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made at another cost than new ones are."""
        return self._argon.check_needs_rehash(stored)

    def close(self) -> None:
        """Lets go of the threads; what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T], reserved: int = 0) -> T:
        if self._pending >= self._most - reserved:
            raise TooManyHashes(RETRY_SECONDS)
        self._pending += 1
        future = self._threads.submit(work)
        # Counted until the thread is done, not until its caller is gone: who hangs up frees no core.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _in_loop(loop, self._done))
        return await asyncio.wrap_future(future)

    def _done(self) -> None:
        self._pending -= 1

    def _affordable(self, stored: str) -> bool:
        try:
            asked = extract_parameters(stored)
        except InvalidHashError:
            return False
        cost = self._cost
        return (
            asked.time_cost <= max(cost.passes, 4) * _MOST_TIMES
            and asked.memory_cost <= max(cost.memory_kib, 32 * 1024) * _MOST_TIMES
            and asked.parallelism <= max(cost.lanes, 4) * _MOST_TIMES
        )

    def _unmatched(self) -> str:
        cost = self._cost
        salt, tag = (
            base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (_SALT_BYTES, _HASH_BYTES)
        )
        return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${tag}"


def _in_loop(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    # At the very end the loop may be gone before the last thread; then nobody counts any more.
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)
