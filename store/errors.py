"""What can be wrong with the store.

::

    StoreError
    ├── DataDirUnusable      the data directory cannot be created, entered or written
    ├── StoreInUse           another process holds the data directory
    ├── StoreBroken          the embedded server does not start
    ├── StoreUnreachable     nothing answers at the address
    ├── StoreRefused         it answers, but not to us: credentials, permissions, a cluster node
    └── StoreTooOld          it lacks commands that Loa needs

The text of each is one line: what is wrong and what to do.
"""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """Root of this room's errors."""


class DataDirUnusable(StoreError):
    """The data directory cannot be used; `why` is the operating system's word for it."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(path, why)

    def __str__(self) -> str:
        return f"data directory {self.path}: {self.why}; make it writable or name another with --data-dir"


class StoreInUse(StoreError):
    """Another process, `pid` where it is known, works on the data directory."""

    def __init__(self, path: Path, pid: int | None) -> None:
        self.path = path
        self.pid = pid
        super().__init__(path, pid)

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid is not None else "another process"
        return f"data directory {self.path} is in use by {who}; stop it, or name another with --data-dir"


class StoreBroken(StoreError):
    """The embedded server did not start; `why` is the last it said."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(path, why)

    def __str__(self) -> str:
        return f"the embedded store in {self.path} does not start: {self.why}"


class StoreUnreachable(StoreError):
    """Nothing answers at `address` (which never holds a password)."""

    def __init__(self, address: str, why: str) -> None:
        self.address = address
        self.why = why
        super().__init__(address, why)

    def __str__(self) -> str:
        return f"Redis at {self.address} cannot be reached: {self.why}; check redis.url, or leave it empty"


class StoreRefused(StoreError):
    """The server at `address` answers, but will not serve us."""

    def __init__(self, address: str, why: str) -> None:
        self.address = address
        self.why = why
        super().__init__(address, why)

    def __str__(self) -> str:
        return f"Redis at {self.address} refuses to serve Loa: {self.why}"


class StoreTooOld(StoreError):
    """The server at `address` is of a version that lacks commands Loa needs."""

    def __init__(self, address: str, found: str, needed: str) -> None:
        self.address = address
        self.found = found
        self.needed = needed
        super().__init__(address, found, needed)

    def __str__(self) -> str:
        return f"the store at {self.address} is {self.found}; Loa needs {self.needed}"
