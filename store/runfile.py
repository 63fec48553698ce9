"""The run file: where the commands of ``loa`` find the service that runs on this data directory.

``loa serve`` writes it when it is ready and removes it when it leaves. It holds no secret.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from store.errors import NOT_UNDERSTOOD

NAME = "serve.json"


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running service is.

    Attributes:
        pid: Its supervisor.
        public_url: What browsers and editors use, ``http://127.0.0.1:8080``.
        ops_url: Health and metrics; empty where the listener is off.
        redis_url: Its store, without a password.
    """

    pid: int
    public_url: str
    ops_url: str
    redis_url: str


def write(data_dir: Path, running: RunFile) -> None:
    """Puts `running` in place in one step, readable to its owner only.

    Raises:
        OSError: The directory cannot be written.
    """
    draft = data_dir / f".{NAME}.{running.pid}"
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(running)) + b"\n")
    draft.replace(data_dir / NAME)


def read(data_dir: Path) -> RunFile | None:
    """What runs on `data_dir`, or None: nothing does, or what wrote the file has gone.

    Raises:
        OSError: The file is there and cannot be read, as by another user.
    """
    try:
        running = msgspec.json.decode((data_dir / NAME).read_bytes(), type=RunFile)
    except (FileNotFoundError, NotADirectoryError, *NOT_UNDERSTOOD):
        return None
    return running if alive(running.pid) else None


def remove(data_dir: Path) -> None:
    """Takes the run file away; one that is gone already is no error."""
    (data_dir / NAME).unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether there is a process `pid`, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
