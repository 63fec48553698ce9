"""Reads the Lua scripts that lie beside the code that calls them.

A script is sent with ``redis.register_script(load(...))``: by its digest, and whole only where the server has
forgotten it, as a restarted one has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import resources
from typing import Any, TypeAlias

from redis.asyncio import Redis

from store.clustered import clustered

# Keys and arguments.
Call: TypeAlias = tuple[list[str], list[Any]]


def load(package: str, *names: str) -> str:
    """The text of ``<package>/lua/<name>.lua``; of several names, one after the other, the last being the script and
    those before it what it calls: a script cannot name another file.

    Raises:
        FileNotFoundError: There is no such script.
    """
    directory = resources.files(package).joinpath("lua")
    return "\n".join(directory.joinpath(f"{name}.lua").read_text("utf-8") for name in names)


async def run_all(redis: Redis, script: Any, calls: Sequence[Call]) -> list[Any]:
    """What `script`, registered with `redis`, answers to each of the calls: in one round trip to each server.

    Raises:
        redis.exceptions.RedisError: One of them failed; the others may have been carried out.
    """
    if len(calls) == 1:
        keys, arguments = calls[0]
        return [await script(keys=keys, args=arguments)]
    # A cluster takes no scripts in pipelines.
    if clustered(redis) is not None:
        return await asyncio.gather(*[script(keys=keys, args=arguments) for keys, arguments in calls])
    # As a context: whoever is cancelled while it asks which scripts there are would else keep the connection for good.
    async with redis.pipeline(transaction=False) as pipeline:
        for keys, arguments in calls:
            await script(keys=keys, args=arguments, client=pipeline)
        return await pipeline.execute()
