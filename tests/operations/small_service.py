"""``loa serve`` with small workers: ``python -m tests.operations.small_service DATA_DIR [SETTINGS]``, settings as JSON.

Prints what it is as JSON when it stands; an error is one line on stderr and exit status 1, as on the real command line.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import sys
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from operations import logs
from operations.errors import OperationsError
from operations.supervisor import Running, Service, serve
from settings.errors import RefusedSetting
from store.errors import StoreError
from tests.operations.small_worker import SmallSettings


async def inherit(redis: Redis) -> None:
    """It has no readers to inherit."""


async def first_token(redis: Redis) -> str | None:
    return "loa_first" if await redis.set("small:first", 1, nx=True) else None


async def forget_token(redis: Redis, text: str) -> None:
    await redis.delete("small:first")


def reread(file: Path, settings: SmallSettings) -> SmallSettings:
    """What the file beside the data directory says, if there is one."""
    if not file.exists():
        return settings
    try:
        return msgspec.json.decode(file.read_bytes(), type=SmallSettings)
    except msgspec.MsgspecError as error:
        raise RefusedSetting(file.name, "(file)", str(error)) from None


def main(data_dir: Path, settings: SmallSettings) -> int:
    logs.configure(settings.operations.log_format, settings.operations.log_level)
    service = Service(
        settings=settings,
        server=settings.server,
        operations=settings.operations,
        redis=settings.redis,
        leases=None,
        sessions_per_worker=1000,
        other_connections=1000,
        data_dir=data_dir,
        base_dir=data_dir,
        reread=lambda: reread(data_dir.parent / "settings.json", settings),
        worker_command=(sys.executable, "-m", "tests.operations.small_worker"),
        inherit=inherit,
        first_token=first_token,
        forget_token=forget_token,
    )

    def started(running: Running) -> None:
        collector = {"looked_at": len(gc.get_objects()), "set_aside": gc.get_freeze_count()}
        print(json.dumps({**dataclasses.asdict(running), **collector}), flush=True)  # noqa: T201

    try:
        asyncio.run(serve(service, started))
    except (OperationsError, StoreError) as error:
        print(f"loa: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    given = msgspec.json.decode(sys.argv[2], type=SmallSettings) if len(sys.argv) > 2 else SmallSettings()
    sys.exit(main(Path(sys.argv[1]), given))
