"""Which processes the service consists of, by what the kernel says.

A process that ends while it is looked at is not there: a killed worker is for a moment a child without a command.
"""

from __future__ import annotations

from pathlib import Path


def command_of(pid: int) -> str:
    """Its command line; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(pid: int) -> dict[int, str]:
    """The command lines of the direct children of `pid`, by their process ids."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if command := command_of(int(child)):
            found[int(child)] = command
    return found


def workers(pid: int) -> list[int]:
    """The workers of supervisor `pid`."""
    return sorted(child for child, command in children(pid).items() if "-m loa worker" in command)


def store(pid: int) -> int:
    """The embedded store of supervisor `pid`."""
    return next(child for child, command in children(pid).items() if "valkey-server" in command)
