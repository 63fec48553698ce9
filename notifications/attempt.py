"""One attempt to have the store do something, which tells "not sent" from "no answer".

redis-py repeats a command whose connection broke and then reports the last failure, which says nothing about
the first try. Here a command goes out once, on one connection, and a failure says how far it had come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import BusyLoadingError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from store.errors import reason

Command = tuple[str | bytes | int, ...]


class NotSent(Exception):
    """No connection could be had, or the store was still loading: nothing was carried out."""


class Unanswered(Exception):
    """The commands were on their way when the connection failed: they were carried out, or not."""


async def attempt(redis: Redis, commands: Sequence[Command], *, patience_seconds: float = 0.0) -> list[Any]:
    """Sends `commands` together on one connection; returns the answers, a refusal as the ``ResponseError`` it is.

    Args:
        redis: The client whose pool lends the connection.
        commands: What to send; none whose answer may be nil.
        patience_seconds: How much longer than usual an answer may take, as after ``WAITAOF``.

    Raises:
        NotSent: Nothing was carried out.
        Unanswered: It is not known what was carried out.
    """
    pool = redis.connection_pool
    try:
        connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        raise NotSent(reason(error)) from error
    try:
        return await _exchange(connection, commands, patience_seconds)
    except BusyLoadingError as error:
        raise NotSent(reason(error)) from error
    except (RedisError, OSError) as error:
        await connection.disconnect(nowait=True)
        raise Unanswered(reason(error)) from error
    except BaseException:
        # Cancelled half way: whatever is still to come on this connection is no answer to anybody else.
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


async def _exchange(connection: AbstractConnection, commands: Sequence[Command], patience_seconds: float) -> list[Any]:
    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    usual = connection.socket_timeout
    longest = None if usual is None else usual + patience_seconds
    answers: list[Any] = []
    for _ in commands:
        answer: Any
        try:
            answer = await connection.read_response(timeout=longest)
        except ReadOnlyError as error:
            # A replica that used to be the master: the next attempt must look where the master is now.
            await connection.disconnect(nowait=True)
            return [*answers, *[error] * (len(commands) - len(answers))]
        except ResponseError as error:
            answer = error
        if answer is None:
            # What redis-py returns when a timeout it was given has passed, where it raises for its own.
            raise RedisTimeoutError("no answer in time")
        answers.append(answer)
    return answers
