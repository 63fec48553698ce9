"""Why a server did not do what it was asked: it does not answer, or it answers and refuses. Two things to look into."""

from __future__ import annotations

from typing import NamedTuple

from redis.exceptions import AuthenticationError, ResponseError

from store.connection import without_password
from store.errors import reason

_LOCKED_OUT = "check redis.username and redis.password, or those in the address"


class Unserved(NamedTuple):
    """What happened, and what to do.

    Attributes:
        what: ``redis://h:6379/0 refuses: invalid username-password pair or user is disabled``.
        remedy: Empty where only the server's own log can say more.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        return "; ".join(filter(None, self))


def unserved(url: str, error: BaseException) -> Unserved:
    """What is to be said of a command to `url` that ended in `error`."""
    address = without_password(url)
    if locked_out(error):
        return Unserved(f"{address} refuses: {reason(error)}", _LOCKED_OUT)
    if isinstance(error, ResponseError):
        return Unserved(f"{address} refuses: {reason(error)}", "")
    return Unserved(f"{address} does not answer: {reason(error)}", "does it run, and is the address right?")


def locked_out(error: BaseException) -> bool:
    """Whether the user or the password is wrong, or one is needed. On a Unix socket redis-py wraps that once more."""
    return any(isinstance(one, AuthenticationError) for one in (error, error.__cause__))
