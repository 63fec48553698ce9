"""Asks all workers, of all nodes, how many of their readers are on certain pages now.

A question is published, each worker looks among the readers it holds and publishes what it found to whoever asked;
nothing is written down, in Redis or elsewhere, and nothing happens while nobody asks. How many were asked is what
``PUBLISH`` says, so it is known whether all have answered. An answer is given to all who ask the same within a second.

Readers are looked at in slices, between which the loop serves its sessions.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from gateway.instants import rfc3339
from gateway.tasks import told_to_stop
from presence.audience import Asked, Estimate, Found, Search, together
from presence.enquiry import Enquiry
from presence.holding import Holding
from store.errors import NOT_UNDERSTOOD, reason

log = structlog.get_logger(__name__)

# A worker that is too busy to answer by then is left out, and what the others found is an estimate.
ANSWER_SECONDS = 1.5
FRESH_SECONDS = 1.0
REMEMBERED = 64
# At a time, by one worker; each costs every worker a look at its readers.
MOST_QUESTIONS = 8
_RETRY_SECONDS = 0.5
_LISTEN_SECONDS = 5.0
# After so many times of hearing nothing, something is said; after as many more, the connection is given up.
_QUIET = 6


class Busy(Exception):
    """So many questions are being asked that this one has to wait."""


class Audience(NamedTuple):
    """The answer.

    Attributes:
        readers: How many.
        pages: On how many pages.
        exact: Whether both are; if not they are an estimate, see :mod:`presence.audience`.
        as_of: When, RFC 3339.
    """

    readers: int
    pages: int
    exact: bool
    as_of: str


class _Question(msgspec.Struct, frozen=True, array_like=True):
    """Who asks, which of its questions it is, and what."""

    asker: str
    number: int
    asked: Asked


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """To which question, and what was found."""

    number: int
    found: Found


class _Waiting:
    """A question that is not answered yet."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.asked: int | None = None
        self.all = asyncio.Event()

    def look(self) -> None:
        if self.asked is not None and len(self.found) >= self.asked:
            self.all.set()


class Asking:
    """Asks and answers for one worker.

    Args:
        redis: For what is published.
        listener: A client of its own, whose read timeout is longer than `_LISTEN_SECONDS`.
        prefix: First part of the channels' names.
        holdings: What this worker holds, by site.
        enquiry: Knows the number of one section or page.
        online: The number of a site as it is shown; None if it is not known.
        key: Of the hashes of readers, the same on all workers; used for nothing else.
        store_ms: An estimate of Redis's clock.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        redis: Redis,
        listener: Redis,
        prefix: str,
        holdings: Mapping[str, Holding],
        enquiry: Enquiry,
        *,
        online: Callable[[str], int | None],
        key: bytes,
        store_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._listener = listener
        self._holdings = holdings
        self._enquiry = enquiry
        self._online = online
        self._key = key
        self._store_ms = store_ms
        self._clock = clock
        self._run = secrets.token_hex(8)
        self._questions = f"{prefix}:presence:audience"
        self._answers = f"{self._questions}:{self._run}"
        self._number = 0
        self._waiting: dict[int, _Waiting] = {}
        self._fresh: OrderedDict[Asked, tuple[float, Audience]] = OrderedDict()
        self.listening = asyncio.Event()

    async def answer(self, asked: Asked) -> Audience | None:
        """How many readers there are now; None if the store does not answer, or too many ask."""
        try:
            return await self.ask(asked)
        except (Busy, RedisError, OSError):
            return None

    async def ask(self, asked: Asked) -> Audience:
        """How many readers there are now.

        Raises:
            Busy: See there.
            redis.exceptions.RedisError: The store does not answer, or no worker hears it.
        """
        known = self._fresh.get(asked)
        if known is not None and self._clock() - known[0] < FRESH_SECONDS:
            return known[1]
        if len(self._waiting) >= MOST_QUESTIONS:
            raise Busy
        estimate = await self._ask(asked)
        counted = await self._counted(asked)
        if counted is not None:
            estimate = Estimate(counted, estimate.pages, True)
        answer = Audience(*estimate, as_of=rfc3339(self._store_ms()))
        self._fresh[asked] = (self._clock(), answer)
        self._fresh.move_to_end(asked)
        if len(self._fresh) > REMEMBERED:
            self._fresh.popitem(last=False)
        return answer

    async def loop(self) -> None:
        """Hears questions and answers, until cancelled."""
        while not told_to_stop():
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                if self.listening.is_set():
                    log.warning("questions for readers are not heard", why=reason(error))
                self.listening.clear()
                await asyncio.sleep(_RETRY_SECONDS)

    async def _ask(self, asked: Asked) -> Estimate:
        self._number += 1
        number, waiting = self._number, _Waiting()
        self._waiting[number] = waiting
        try:
            question = msgspec.msgpack.encode(_Question(self._run, number, asked))
            waiting.asked = int(await self._redis.publish(self._questions, question))
            waiting.look()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await waiting.all.wait()
            except TimeoutError:
                log.info("not all workers said how many readers they hold", asked=waiting.asked, of=len(waiting.found))
            # One that hears nothing, as when its connection has just been lost, is not asked; the next is.
            return together(waiting.found, max(1, waiting.asked))
        finally:
            del self._waiting[number]

    async def _counted(self, asked: Asked) -> int | None:
        """The number as it is counted from the leases and shown to readers, where there is one."""
        if len(asked.sites) != 1 or asked.visible:
            return None
        site = asked.sites[0]
        match asked.sections, asked.paths:
            case (), ():
                return self._online(site)
            case (section,), ():
                return await self._enquiry.readers(site, "section", section)
            case (), (path,) if "*" not in path:
                return await self._enquiry.readers(site, "page", path)
        return None

    async def _listen(self) -> None:
        # Closed with its connection: what was missed meanwhile, nobody waits for any more.
        async with self._listener.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(self._questions, self._answers)
            quiet = 0
            while not told_to_stop():
                said: Any = await channel.get_message(timeout=_LISTEN_SECONDS)
                self.listening.set()
                if said is None:
                    quiet += 1
                    await self._wonder(channel, quiet)
                    continue
                quiet = 0
                if said["type"] != "message":
                    continue
                if said["channel"] == self._answers.encode():
                    self._heard(said["data"])
                else:
                    await self._answer(said["data"])

    @staticmethod
    async def _wonder(channel: Any, quiet: int) -> None:
        """Nothing was heard for so many times: a connection that was cut off without a word looks the same."""
        if quiet == _QUIET:
            await channel.ping()
        elif quiet > 2 * _QUIET:
            raise RedisConnectionError("nothing is heard any more")

    def _heard(self, data: bytes) -> None:
        try:
            answer = _answer(data)
        except NOT_UNDERSTOOD:
            return
        waiting = self._waiting.get(answer.number)
        if waiting is not None:
            waiting.found.append(answer.found)
            waiting.look()

    async def _answer(self, data: bytes) -> None:
        try:
            question = _question(data)
        except NOT_UNDERSTOOD:
            # Of another release.
            return
        named = f"{question.asker}|{question.number}".encode()
        key = hashlib.blake2b(named, key=self._key, digest_size=32).digest()
        search = Search(question.asked, key)
        for _ in search.over([self._holdings[site] for site in question.asked.sites if site in self._holdings]):
            await asyncio.sleep(0)
        told = msgspec.msgpack.encode(_Answer(question.number, search.found))
        await self._redis.publish(f"{self._questions}:{question.asker}", told)


_question = msgspec.msgpack.Decoder(_Question).decode
_answer = msgspec.msgpack.Decoder(_Answer).decode
