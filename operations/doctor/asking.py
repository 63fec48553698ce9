"""Gathers what the store says of itself. It changes nothing there."""

from __future__ import annotations

import time
from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from notifications.errors import StoreAway
from notifications.people.register import Register
from operations.doctor.checks import StoreFacts
from settings.commandline import Deployment
from store import layout
from store.connection import connect, without_password
from store.errors import StoreError
from store.nodes import each
from store.refusal import CREDENTIALS, CREDENTIALS_OF_LEASES, failing, kept_out
from store.settings import Elsewhere, RedisSettings

_LOOKS = 20
_CONFIGURED = ("appendfsync",)


async def ask(deployment: Deployment, embedded_url: str) -> StoreFacts:
    """The facts of the store of `deployment`.

    Args:
        deployment: Which.
        embedded_url: Where Loa's own is, as its service says; empty where none runs.
    """
    settings = deployment.section(RedisSettings)
    url = settings.url or embedded_url
    if not url:
        return StoreFacts(
            address="",
            embedded=True,
            failure="Loa's own store runs with the service only, which does not run",
            remedy="start it with 'loa serve' and ask again",
        )
    address = without_password(url)
    redis = connect(settings, url, connections=1, name="loa-command")
    try:
        facts = replace(await _asked(redis, address), settings=await _settings(redis))
        # It answers nothing else yet while it loads.
        return facts if facts.info.get("loading") else await _with_contents(facts, redis, settings)
    except (RedisError, StoreAway, OSError) as error:
        return _unasked(address, error, CREDENTIALS)
    finally:
        await redis.aclose()


async def ask_leases(store: Elsewhere) -> list[StoreFacts]:
    """The facts of the store that only leases are in; of a cluster, of each server that leads."""
    try:
        async with each(*store, "loa-command") as servers:
            return [await _asked(redis, address) for address, redis in servers.items()]
    except (RedisError, OSError) as error:
        return [_unasked(without_password(store.url), error, CREDENTIALS_OF_LEASES)]


def _unasked(address: str, error: Exception, credentials: str) -> StoreFacts:
    # What the rooms say of it is told already.
    cause = error.__cause__ if isinstance(error, StoreAway) and error.__cause__ else error
    return StoreFacts(address=address, failure=f"{address} {failing(cause)}", remedy=kept_out(cause, credentials))


async def _asked(redis: Redis, address: str) -> StoreFacts:
    """What any server says of itself."""
    facts = StoreFacts(address=address, info=await _info(redis))
    if facts.info.get("loading"):
        return facts
    answers: list[float] = []
    ahead = 0.0
    for _ in range(_LOOKS):
        sent = time.perf_counter()
        before = time.time()
        seconds, micros = await redis.time()
        taken = time.perf_counter() - sent
        answers.append(1000 * taken)
        if taken == min(answer / 1000 for answer in answers):
            ahead = seconds + micros / 1e6 - (before + taken / 2)
    return replace(facts, answers_ms=answers, ahead_seconds=ahead)


async def _with_contents(facts: StoreFacts, redis: Redis, settings: RedisSettings) -> StoreFacts:
    """With what Loa keeps there."""
    wrong = ""
    try:
        layout.judge(await redis.get(layout.key(settings.prefix)), facts.address)
    except StoreError as error:
        wrong = str(error)
    users = await Register(redis, settings.prefix).list()
    admins = sum(1 for user in users if not user.disabled and "admin" in user.roles.values())
    return replace(facts, layout=wrong, admins=admins, embedded=not settings.url)


async def _info(redis: Redis) -> dict[str, Any]:
    try:
        return dict(await redis.info())
    except ResponseError:
        # An ACL without it.
        return {}


async def _settings(redis: Redis) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _CONFIGURED:
        try:
            answer: Any = await redis.config_get(name)
        except ResponseError:
            continue
        found |= {_text(key): _text(value) for key, value in answer.items()}
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
