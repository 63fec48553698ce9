"""Opens the store of a deployment also where no service runs on it: Loa's own is then started for a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from redis.asyncio import Redis

from operations.backup.errors import NothingThere
from settings.commandline import Deployment
from store import layout, runfile
from store.connection import connect, without_password
from store.datadir import DataDir
from store.embedded import EmbeddedStore
from store.settings import RedisSettings
from store.versions import check

# What a Valkey of our own has in the data directory once it was ever started.
_FILES = "appendonlydir"


class Opened(NamedTuple):
    """The store, the prefix of its keys, where it is and what."""

    redis: Redis
    prefix: str
    address: str
    server: str


@asynccontextmanager
async def opened(deployment: Deployment, *, alone: bool, any_layout: bool = False) -> AsyncIterator[Opened]:
    """The store of `deployment`, ready for use.

    Args:
        deployment: Which.
        alone: No service may run on this data directory, nor start before this is over.
        any_layout: Also a layout of keys that is not this release's.

    Raises:
        StoreError: It cannot be used, or a service runs on the data directory and `alone` was asked for.
        NothingThere: There never was a store of our own, and nothing is going to be written into one.
        OSError: The run file is not ours to read.
    """
    settings = deployment.section(RedisSettings)
    async with AsyncExitStack() as stack:
        running = None if alone else runfile.read(deployment.data_dir)
        url = settings.url or (running.redis_url if running is not None else "")
        if alone or not url:
            if not alone and not (deployment.data_dir / _FILES).exists():
                raise NothingThere
            stack.callback(DataDir.claim(deployment.data_dir).release)
        if not url:
            embedded = EmbeddedStore(deployment.data_dir)
            url = await embedded.start()
            stack.push_async_callback(embedded.stop)
        redis = connect(settings, url, connections=1, name="loa-backup")
        stack.push_async_callback(redis.aclose)
        address = without_password(url)
        server = await check(redis, address, wait_seconds=settings.ready_seconds)
        if not any_layout:
            layout.judge(await redis.get(layout.key(settings.prefix)), address)
        yield Opened(redis, settings.prefix, address, str(server or ""))
