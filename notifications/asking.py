"""A question to the store that somebody waits for: it is answered, or :class:`StoreAway` says that it was not."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, cast

from redis.exceptions import RedisError

from notifications.errors import StoreAway
from store.errors import reason


async def ask(answer: Any) -> Any:
    """The answer to a command.

    Args:
        answer: What the client returned for it, to be awaited.

    Raises:
        StoreAway: There is none.
    """
    try:
        return await cast("Awaitable[Any]", answer)
    except (RedisError, OSError) as error:
        raise StoreAway(reason(error)) from error
