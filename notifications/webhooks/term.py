"""One worker's time in office: it delivers from when it gets the lease to when it loses it.

Everything it knows it has from the store, and everything it does it writes there in steps that look at the lease; so
it may end at any point, and whoever comes next goes on from there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import structlog
from msgspec.structs import replace
from redis.exceptions import RedisError

from gateway.tasks import told_to_stop
from notifications.settings import NotificationsSettings
from notifications.webhooks import event, schedule
from notifications.webhooks.board import Board, Next, Waiting, first, followed
from notifications.webhooks.outbox import Outbox, Outcome
from notifications.webhooks.sender import Sender, Sent
from notifications.webhooks.webhook import without_path

log = structlog.get_logger(__name__)

# The read timeout of the store's connections must be longer.
BLOCK_SECONDS = 1.0
# So much waits for one webhook; what comes after it stays in the trail.
MOST_WAITING = 500
_RELEASE_SECONDS = 0.4
_LOOK_SECONDS = 0.5


class Deposed(Exception):
    """The lease is another's: what is done from here on is theirs to do."""


class Figures:
    """What a worker has done, over all its terms; ``deliverer.Deliverer`` says what each means."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.retries = 0
        self.dead = 0
        self.oldest_ms = 0
        self.delivering = False


class Term:
    """A time in office.

    Args:
        outbox: What waits.
        sender: Posts.
        settings: Limits and times.
        figures: Where it is counted.
        lease_seconds: As long as that of `outbox`.
        clock: Seconds, never going back.
        chance: From 0 to 1.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        settings: NotificationsSettings,
        figures: Figures,
        *,
        lease_seconds: float,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._settings = settings
        self._figures = figures
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._chance = chance
        self._until = 0.0
        self._ahead_ms = 0.0
        self._changes = -1
        # When it is looked again what has expired.
        self._look_at = 0.0
        self._last = "0-0"
        self._board = Board()
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[tuple[Next, Sent]]] = {}

    @property
    def now_ms(self) -> int:
        """The store's time, as it was last heard."""
        return int(self._clock() * 1000 + self._ahead_ms)

    async def serve(self) -> None:
        """Delivers as long as the lease is ours; returns at once if it is another's.

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        if not await self._renewed():
            return
        self._figures.delivering = True
        log.info("webhooks are delivered by this worker")
        ear: asyncio.Task[None] | None = None
        try:
            self._last = await self._outbox.last()
            ear = asyncio.create_task(self._listen(), name="webhooks' ear")
            ear.add_done_callback(self._woken)
            while not told_to_stop() and await self._renewed():
                self._wake.clear()
                if ear.done():
                    ear.result()
                await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_seconds()):
                        await self._wake.wait()
        except Deposed:
            log.warning("webhooks are delivered by another worker")
        finally:
            self._figures.delivering, self._figures.dead, self._figures.oldest_ms = False, 0, 0
            await _ended([*self._running.values(), *([ear] if ear is not None else [])])
            with suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._outbox.release()

    async def _renewed(self) -> bool:
        """Keeps the lease; reads the board where somebody has changed something."""
        now = self._clock()
        if now < self._until - self._lease_seconds * 0.7:
            return True
        lease = await self._outbox.lease()
        if not lease.ours:
            return False
        # From before it was asked for: ours must not be thought to last longer than it does.
        self._until = now + self._lease_seconds
        self._ahead_ms = lease.now_ms - self._clock() * 1000
        self._figures.dead = lease.dead
        if lease.changes != self._changes:
            board = await self._outbox.board()
            board.held_ms.update(self._board.held_ms)
            self._board, self._changes = board, lease.changes
        return True

    async def _refused(self) -> None:
        """A write was refused: the lease is another's, or somebody has changed the webhook, as the board then says."""
        self._until, self._changes = 0.0, -1
        if not await self._renewed():
            raise Deposed

    async def _listen(self) -> None:
        """Hears whenever something is written to the trail."""
        while not told_to_stop():
            last = await self._outbox.heard(self._last, block_seconds=BLOCK_SECONDS)
            if last != self._last:
                self._last = last
                self._wake.set()

    async def _round(self) -> None:
        for task in [task for task in self._running.values() if task.done()]:
            await self._settle(*task.result())
        looking = self._clock() >= self._look_at
        for id in list(self._board.webhooks):
            await self._take(id)
            if looking:
                await self._expire(id)
        if looking:
            self._look_at = self._clock() + _LOOK_SECONDS
        self._launch()
        self._figures.oldest_ms = self._board.oldest_ms

    async def _take(self, id: str) -> None:
        """Takes in what the trail holds for webhook `id`, as long as there is room."""
        board = self._board
        while id in board.webhooks and len(board.waiting[id]) < MOST_WAITING:
            cursor = board.cursors[id]
            if event.place(cursor) >= event.place(self._last):
                return
            entries = await self._outbox.entries(cursor)
            if entries.end == cursor:
                return
            new = first(entries.happenings, board.webhooks[id])
            ends = followed(entries.happenings, board.webhooks[id])
            if not await self._outbox.take(id, cursor, entries.end, new, ends):
                await self._refused()
                return
            board.cursors[id] = entries.end
            board.waiting[id].update(new)

    async def _expire(self, id: str) -> None:
        """Has those wait that should be told of by webhook `id` as expired."""
        board, now_ms = self._board, self.now_ms
        if id not in board.webhooks or "announcement.expired" not in board.webhooks[id].events:
            return
        if len(board.waiting[id]) >= MOST_WAITING:
            return
        for announcement, score, one in await self._outbox.expired(id, now_ms):
            told: tuple[str, Waiting] | None = None
            if one is not None and one.status == "live" and one.expires_ms <= now_ms:
                told = next(iter(first([event.expiry(one)], board.webhooks[id]).items()), None)
            if await self._outbox.expire(id, announcement, score, told) and told is not None:
                board.keep(id, *told)

    def _launch(self) -> None:
        """Begins to deliver what is due."""
        for one in self._board.next(self._running, self.now_ms):
            if one.waiting.due_ms > self.now_ms or len(self._running) >= self._settings.webhooks_at_once:
                return
            task = asyncio.create_task(self._deliver(one), name=f"webhook {one.webhook.id}")
            task.add_done_callback(self._woken)
            self._running[one.webhook.id] = task

    def _pause_seconds(self) -> float:
        """How long there is nothing to do, unless something happens."""
        longest_ms = 1000 * min(BLOCK_SECONDS, self._lease_seconds * 0.3)
        if len(self._running) >= self._settings.webhooks_at_once:
            return longest_ms / 1000
        now_ms = self.now_ms
        dues = [one.waiting.due_ms - now_ms for one in self._board.next(self._running, now_ms)[:1]]
        return max(1.0, min([longest_ms, *dues])) / 1000

    async def _deliver(self, one: Next) -> tuple[Next, Sent]:
        happening = await self._outbox.happening(one.happening, one.waiting)
        if happening is None:
            return one, Sent("lost", "what it tells of is not in the store any more")
        if self._clock() >= self._until:
            # Held up for so long that another worker may have taken over.
            raise Deposed
        try:
            return one, await self._sender.send(one.webhook, happening.message_id, event.body(happening))
        except Exception as error:
            # Whatever nobody foresaw about one message must not end a worker that serves readers.
            log.error("webhook could not be sent", webhook=one.webhook.id, happening=one.happening, exc_info=error)
            return one, Sent("failed", f"it could not be sent: {type(error).__name__}")

    async def _settle(self, one: Next, sent: Sent) -> None:
        """Writes down what came of a try."""
        id = one.webhook.id
        del self._running[id]
        tries = one.waiting.tries + 1
        outcome, waiting = self._judged(one, sent, tries)
        if not await self._outbox.settle(id, one.happening, outcome, waiting, self._settings.webhooks_dead):
            await self._refused()
            return
        self._figures.outcomes["dead" if outcome == "dead" else sent.outcome] += 1
        self._figures.retries += tries > 1
        if outcome != "done":
            to = without_path(one.webhook.url)
            log.warning("webhook not delivered", webhook=id, to=to, outcome=outcome, why=sent.why, tries=tries)
        if outcome == "again":
            self._board.keep(id, one.happening, waiting)
        elif outcome == "gone":
            self._board.forget(id)
        else:
            self._figures.dead += outcome == "dead"
            self._board.drop(id, one.happening)

    def _judged(self, one: Next, sent: Sent, tries: int) -> tuple[Outcome, Waiting]:
        """What becomes of a delivery after a try."""
        waiting = replace(one.waiting, tries=tries, why=sent.why)
        if sent.outcome == "delivered":
            return "done", waiting
        if sent.outcome == "gone":
            return "gone", waiting
        pause_seconds = schedule.pause_seconds(
            tries, self._settings.webhook_retries, chance=self._chance(), asked_seconds=sent.asked_seconds
        )
        if sent.outcome == "lost" or pause_seconds is None:
            return "dead", waiting
        if sent.asked_seconds:
            asked_seconds = min(sent.asked_seconds, schedule.MOST_ASKED_SECONDS)
            self._board.held_ms[one.webhook.id] = self.now_ms + int(asked_seconds * 1000)
        return "again", replace(waiting, due_ms=self.now_ms + int(pause_seconds * 1000))

    def _woken(self, _: asyncio.Task[Any]) -> None:
        self._wake.set()


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Ends `tasks`; what they were about is done again by whoever comes next."""
    running = [*tasks]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
    for task in running:
        if not task.cancelled():
            # Looked at, or the loop would complain that nobody did.
            task.exception()
