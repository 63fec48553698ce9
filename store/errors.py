"""What can be wrong with the store.

::

    StoreError
    ├── DataDirUnusable      the data directory cannot be created, entered or written
    ├── StoreInUse           another process holds the data directory
    ├── StoreBroken          the embedded server does not start
    ├── StoreUnreachable     nothing answers at the address
    ├── StoreRefused         it answers, but not to us: credentials, permissions, a cluster node
    ├── StoreTooOld          it lacks commands that Loa needs
    ├── StoreUnfit           it is read-only, loading, full, or may throw keys away
    ├── LayoutTooNew         a newer release of Loa has written the keys
    ├── LayoutTooOld         an older one has, and they have to be brought up to date first
    └── LayoutUnreadable     the key that names the layout names none

The text of each is one line: what is wrong and what to do.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

# What msgspec raises for bytes that are not what was wanted of them; a text in it that is no UTF-8 is an error apart.
NOT_UNDERSTOOD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def reason(error: BaseException) -> str:
    """What another library's error says, in one line and to be put into a sentence; its kind where it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


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


class StoreUnfit(StoreError):
    """The server at `address` answers, but is in a state or set up in a way in which Loa cannot rely on it.

    Attributes:
        trouble: What is wrong: ``it is read-only, a replica of 10.0.0.1:6379``.
        remedy: What to do.
    """

    def __init__(self, address: str, trouble: str, remedy: str) -> None:
        self.address = address
        self.trouble = trouble
        self.remedy = remedy
        super().__init__(address, trouble, remedy)

    def __str__(self) -> str:
        return f"the store at {self.address} will not do: {self.trouble}; {self.remedy}"


class LayoutTooNew(StoreError):
    """The keys have the layout `found`, this release knows those up to `known`."""

    def __init__(self, address: str, found: int, known: int) -> None:
        self.address = address
        self.found = found
        self.known = known
        super().__init__(address, found, known)

    def __str__(self) -> str:
        return (
            f"a newer release of Loa has written the data at {self.address} (layout {self.found}; this release knows "
            f"{self.known}); run that release, or restore a backup of this one into an empty store"
        )


class LayoutTooOld(StoreError):
    """The keys have the layout `found`, this release needs `needed`; `step_missing`: and cannot make it of that."""

    def __init__(self, address: str, found: int, needed: int, *, step_missing: bool = False) -> None:
        self.address = address
        self.found = found
        self.needed = needed
        self.step_missing = step_missing
        super().__init__(address, found, needed)

    def __str__(self) -> str:
        remedy = (
            "bring them up to date with a release between the two"
            if self.step_missing
            else "stop all nodes, run 'loa backup FILE', then 'loa migrate'"
        )
        return f"the data at {self.address} has the old layout {self.found}, this release needs {self.needed}; {remedy}"


class LayoutUnreadable(StoreError):
    """The key that names the layout holds `found`, which is none."""

    def __init__(self, address: str, found: str) -> None:
        self.address = address
        self.found = found
        super().__init__(address, found)

    def __str__(self) -> str:
        return (
            f"the data at {self.address} names {self.found!r} as its layout, which is none; another program may use "
            "this redis.prefix, choose another one"
        )
