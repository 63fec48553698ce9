"""Has the store write one revision, at most once, and finds out whether it did.

The script may be sent several times: the idempotency key, which every act has, makes the second time harmless. What is
raised says how far it came, never more than is known.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, ResponseError

from notifications.attempt import Command, NotSent, Unanswered, attempt
from notifications.audit import members
from notifications.errors import EndPassed, KeyReused, OutcomeUnknown, SendRefused, TooManyActive
from notifications.keys import Keys
from notifications.revision import Write
from notifications.settings import NotificationsSettings
from store.scripts import load

# A restarted store is there again within a second or so; a person waits that long for an answer they can trust.
PAUSES_SECONDS = (0.1, 0.4, 1.0)
_GIVE_UP_SECONDS = 5.0

# Crockford's base 32 in lower case, as in commit.lua.
_ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_DIGITS = 16


class Written(NamedTuple):
    """What is stored now, JSON, and whether an earlier request of the same key did it."""

    payload: bytes
    before: bool


class Committer:
    """Writes below `keys`."""

    def __init__(self, redis: Redis, keys: Keys, settings: NotificationsSettings) -> None:
        self._redis = redis
        self._keys = keys
        self._settings = settings
        self._script = load("notifications", "audit", "commit")
        self._digest = hashlib.sha1(self._script.encode(), usedforsecurity=False).hexdigest()

    async def commit(self, write: Write, *, once: str, fingerprint: str) -> Written | None:
        """Writes; None if the announcement is not as `write` expects it any more.

        Args:
            write: What.
            once: The key under which this request is remembered.
            fingerprint: What tells it from another request under the same key.

        Raises:
            KeyReused, TooManyActive, EndPassed: Nothing was written; see there.
            SendRefused: Nothing was written, and will not be.
            OutcomeUnknown: It may have been written.
        """
        arguments = self._arguments(write, once, fingerprint)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _GIVE_UP_SECONDS
        on_its_way = False
        for pause_seconds in (*PAUSES_SECONDS, None):
            try:
                answer = await self._run(arguments)
            except NotSent as error:
                why = str(error)
            except Unanswered as error:
                on_its_way = True
                why = str(error)
            else:
                return self._understood(answer, on_its_way)
            if pause_seconds is None or loop.time() >= give_up:
                break
            await asyncio.sleep(pause_seconds)
        raise OutcomeUnknown(why) if on_its_way else SendRefused(why)

    async def _run(self, arguments: tuple[str | bytes | int, ...]) -> Any:
        command: Command = ("EVALSHA", self._digest, *arguments)
        (answer,) = await attempt(self._redis, [command])
        if isinstance(answer, NoScriptError):
            command = ("EVAL", self._script, *arguments)
            (answer,) = await attempt(self._redis, [command])
        return answer

    def _arguments(self, write: Write, once: str, fingerprint: str) -> tuple[str | bytes | int, ...]:
        keys, settings = self._keys, self._settings
        expires_in_ms = "" if write.expires_in_seconds is None else write.expires_in_seconds * 1000
        return (
            9, keys.head, keys.state, keys.log, keys.active, keys.ids, keys.due, once, keys.audit, keys.audit_head,
            secrets.token_hex(4), fingerprint, settings.idempotency_hours * 3_600_000, settings.log_length,
            settings.max_active, write.id, _random_digits(), write.expected, write.status,
            expires_in_ms, "" if write.ends_ms is None else write.ends_ms, int(write.again),
            write.content.starts_ms, int(write.act == "start"), msgspec.json.encode(write.content)[1:-1],
            members(write.act, write.by),
        )  # fmt: skip

    def _understood(self, answer: Any, on_its_way: bool) -> Written | None:
        if isinstance(answer, ResponseError):
            # Out of memory, read-only, no permission: the script writes nothing before it may write everything. An
            # earlier try may have gone through without our hearing of it.
            raise OutcomeUnknown(str(answer)) if on_its_way else SendRefused(f"the store refuses: {answer}")
        outcome = answer[0]
        if outcome == b"reused":
            raise KeyReused
        if outcome == b"full":
            raise TooManyActive(self._settings.max_active)
        if outcome == b"over":
            raise EndPassed
        return None if outcome == b"moved" else Written(answer[1], outcome == b"known")


def _random_digits() -> str:
    return "".join(secrets.choice(_ID_DIGITS) for _ in range(_RANDOM_DIGITS))
