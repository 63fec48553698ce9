"""Which processes the service consists of, by what the kernel says."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """The command lines of the direct children of `pid`, by their process ids."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        if command:
            found[int(child)] = command
    return found


def workers(pid: int) -> list[int]:
    """The workers of supervisor `pid`."""
    return sorted(child for child, command in children(pid).items() if "server worker" in command)


def store(pid: int) -> int:
    """The embedded store of supervisor `pid`."""
    return next(child for child, command in children(pid).items() if "valkey-server" in command)
