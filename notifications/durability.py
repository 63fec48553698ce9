"""How safe what was written is: waits until the store has it on disk, for many writers at once.

Every request that wrote something comes here before it is answered. Those that wait together share one ``WAITAOF``,
so a burst of publications costs one wait for the disk after another, not one for each, and no writer keeps a
connection while it waits. ``WAITAOF`` speaks of what its own connection has written, therefore
``lua/confirm.lua`` writes something first: the append-only file is in order, so what came before is on disk as well.

``memory`` is the honest answer wherever nothing better is known: a Redis before 7.2 has no ``WAITAOF``, a server
without an append-only file refuses it, and a slow disk may not answer in time.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notifications.attempt import Command, NotSent, Unanswered, attempt
from notifications.commit import PAUSES_SECONDS
from notifications.errors import OutcomeUnknown
from notifications.keys import Keys
from store.scripts import load

Durability = Literal["disk", "memory"]


class Disk:
    """Confirms revisions that were written.

    Args:
        redis: The client they were written with.
        keys: Where.
        patience_seconds: How long the disk may take.
    """

    def __init__(self, redis: Redis, keys: Keys, patience_seconds: float) -> None:
        self._redis = redis
        self._keys = keys
        self._patience_seconds = patience_seconds
        self._script = load("notifications", "confirm")
        self._waiting: list[tuple[str, int, asyncio.Future[Durability]]] = []
        self._turn = asyncio.Lock()

    async def confirm(self, id: str, revision: int) -> Durability:
        """How safe revision `revision` of announcement `id`, which the store has acknowledged, is.

        Raises:
            OutcomeUnknown: The store has gone since, or it came back without this revision.
        """
        answer: asyncio.Future[Durability] = asyncio.get_running_loop().create_future()
        self._waiting.append((id, revision, answer))
        async with self._turn:
            # Whoever had the turn before may have confirmed ours with theirs.
            if not answer.done():
                await self._confirm_all()
        return answer.result()

    async def _confirm_all(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            found, durability = await self._ask(batch)
            for (_, _, answer), there in zip(batch, found, strict=True):
                if there:
                    answer.set_result(durability)
                else:
                    _fail(answer, "the store has forgotten what it acknowledged")
        except (NotSent, Unanswered) as error:
            for _, _, answer in batch:
                _fail(answer, str(error))
        except asyncio.CancelledError:
            # Only this request gave up; whoever has the turn next asks for the others.
            self._waiting = batch + self._waiting
            raise

    async def _ask(self, batch: list[tuple[str, int, asyncio.Future[Durability]]]) -> tuple[list[bool], Durability]:
        pairs: list[str | int] = []
        for id, revision, _ in batch:
            pairs += [id, revision]
        look: Command = ("EVAL", self._script, 2, self._keys.head, self._keys.state, *pairs)
        wait: Command = ("WAITAOF", 1, 0, round(self._patience_seconds * 1000))
        for pause_seconds in (*PAUSES_SECONDS, None):
            try:
                found, written = await attempt(self._redis, [look, wait], patience_seconds=self._patience_seconds)
                break
            except (NotSent, Unanswered):
                if pause_seconds is None:
                    raise
                await asyncio.sleep(pause_seconds)
        if isinstance(found, ResponseError):
            raise Unanswered(str(found))
        on_disk = not isinstance(written, ResponseError) and int(written[0]) >= 1
        return [bool(there) for there in found], "disk" if on_disk else "memory"


def _fail(answer: asyncio.Future[Durability], why: str) -> None:
    answer.set_exception(OutcomeUnknown(why))
    # Seen, also where the request that waited for it has gone meanwhile.
    answer.exception()
