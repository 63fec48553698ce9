"""Why a backup is not made or not restored.

::

    BackupError
    ├── NotABackup       the file is something else
    ├── NewerBackup      a newer release of Loa made it
    ├── Damaged          it is not what was written
    ├── NothingThere     there is nothing to back up
    ├── KeepsChanging    what must agree with itself changed each time it was read
    ├── NotEmpty         the store has data, and replacing it was not asked for
    └── StillServed      a service is connected to the store

The text of each is one line: what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping


class BackupError(Exception):
    """Root of these errors."""


class NotABackup(BackupError):
    """The file does not begin as a backup does."""

    def __str__(self) -> str:
        return "this is no backup of Loa; 'loa backup FILE' makes one"


class NewerBackup(BackupError):
    """The file's `format`, or the `layout` of the keys in it, is newer than this release knows."""

    def __init__(self, what: str, found: int, known: int) -> None:
        self.what = what
        self.found = found
        self.known = known
        super().__init__(what, found, known)

    def __str__(self) -> str:
        return (
            f"a newer release of Loa made this backup ({self.what} {self.found}; this release knows {self.known}); "
            "restore it with that release"
        )


class Damaged(BackupError):
    """The file is not what was written; `why` says in what."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)

    def __str__(self) -> str:
        return f"the backup is damaged ({self.why}); nothing was restored, take another copy of it"


class NothingThere(BackupError):
    """The store has nothing that a backup keeps."""

    def __str__(self) -> str:
        return "there is nothing to back up: no data of Loa under this redis.prefix; see --data-dir and redis.url"


class KeepsChanging(BackupError):
    """Announcements changed each time they were read."""

    def __str__(self) -> str:
        return "announcements changed each time they were read; try again when editors are less busy"


class NotEmpty(BackupError):
    """The store holds `found`, keys by part."""

    def __init__(self, found: Mapping[str, int]) -> None:
        self.found = found
        super().__init__(found)

    def __str__(self) -> str:
        return f"the store is not empty ({told(self.found)}); nothing was restored, --replace puts the backup in place"


class StillServed(BackupError):
    """`clients` of a running service are connected to the store."""

    def __init__(self, clients: int) -> None:
        self.clients = clients
        super().__init__(clients)

    def __str__(self) -> str:
        return (
            f"{self.clients} connections of a running Loa use this store; stop 'loa serve' on all machines, "
            "or, if they are another installation's, give --shared-store"
        )


def told(found: Mapping[str, int]) -> str:
    """So many keys of which part, for people."""
    return ", ".join(f"{part}: {number:,} key{'' if number == 1 else 's'}" for part, number in sorted(found.items()))
