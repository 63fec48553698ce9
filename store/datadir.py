"""The data directory: made private, proved writable, and held by one service at a time.

The hold is a ``flock`` on a file in it, so it ends with the process that has it, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from store.errors import DataDirUnusable, StoreInUse

LOCK = "loa.lock"


class DataDir:
    """A directory this process holds; :meth:`release` lets go of it."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def claim(cls, path: Path) -> DataDir:
        """Takes hold of `path`, and makes it (mode 0700) where it does not exist.

        Raises:
            DataDirUnusable: It cannot be made or written.
            StoreInUse: Another service holds it.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise DataDirUnusable(path, "is not a directory") from None
        except OSError as error:
            raise DataDirUnusable(path, error.strerror or "cannot be used") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = _pid(os.pread(lock, 32, 0))
            os.close(lock)
            raise StoreInUse(path, holder) from None
        except OSError as error:
            os.close(lock)
            raise DataDirUnusable(path, error.strerror or "cannot be written") from None
        return cls(path, lock)

    def release(self) -> None:
        """Lets go. Calling it twice is no error."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _pid(written: bytes) -> int | None:
    with contextlib.suppress(ValueError):
        return int(written)
    return None
