"""What a store fails with, told so that it leads to the remedy: one that does not let Loa in is there, and answers.

redis-py wraps what a server said into errors of its own, on a Unix socket into one, of a cluster into two, and rooms
wrap them once more. What wraps is looked through.
"""

from __future__ import annotations

from collections.abc import Iterator

from redis.exceptions import AuthenticationError, ResponseError

from store.errors import reason
from store.sentinel import KeptOutBySentinels

CREDENTIALS = "redis.username and redis.password, or those in redis.url"
CREDENTIALS_OF_LEASES = "the username and password in presence.redis_url"
_OF_SENTINELS = "redis.sentinel_username and redis.sentinel_password"


def kept_out(error: BaseException, credentials: str = CREDENTIALS) -> str:
    """What to do where it was refused who we say we are; empty for any other error.

    Args:
        error: What was raised.
        credentials: Where those of this store stand.
    """
    for one in _behind(error):
        if isinstance(one, KeptOutBySentinels):
            return f"check {_OF_SENTINELS}"
        if isinstance(one, AuthenticationError):
            return f"check {credentials}"
    return ""


def failing(error: BaseException) -> str:
    """What a store fails with, as the rest of "the store …"."""
    for one in _behind(error):
        if isinstance(one, KeptOutBySentinels):
            return f"cannot be found, the sentinels refuse Loa's credentials ({reason(one)})"
        if isinstance(one, AuthenticationError):
            return f"refuses Loa's credentials ({reason(one)})"
        if isinstance(one, ResponseError):
            return f"refuses what it is asked ({reason(one)})"
    return f"does not answer: {reason(error)}"


def failure(error: BaseException, credentials: str = CREDENTIALS) -> str:
    """The same, with what to do where the credentials are refused."""
    remedy = kept_out(error, credentials)
    return f"{failing(error)}; {remedy}" if remedy else failing(error)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """`error`, and what it was raised from."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__
