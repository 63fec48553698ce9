"""Whether a store that answers can be relied on, by what it says of itself. Pure.

What makes it unfit is told as a :class:`Trouble`, at start (one line), in readiness and by ``loa doctor`` alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

OLDEST = {"Redis": (6, 2), "Valkey": (7, 2)}
NEEDED = " or ".join(f"{product} {major}.{minor}" for product, (major, minor) in OLDEST.items()) + ", or later"

Name: TypeAlias = Literal["too old", "loading", "read-only", "out of memory", "evicting", "cannot write its file"]


class Server(NamedTuple):
    """A server's `product` (``Redis``, ``Valkey``) and `version`, ``(9, 1, 2)``."""

    product: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"

    @property
    def too_old(self) -> bool:
        """Whether it lacks commands that Loa needs."""
        return self.version[:2] < OLDEST[self.product]


class Trouble(NamedTuple):
    """Why a store will not do: its `name`, `what` is so, as the rest of "the store …", and the `remedy`."""

    name: Name
    what: str
    remedy: str


def recognise(info: Mapping[str, object]) -> Server | None:
    """The server that gave `info` (the section ``server`` of INFO), or None where it does not say.

    Valkey names a ``redis_version`` too, the one whose protocol it speaks; its own stands beside it.
    """
    for product, field in (("Valkey", "valkey_version"), ("Redis", "redis_version")):
        numbers = re.match(r"\d+(?:\.\d+)*", str(info.get(field, "")))
        if numbers is not None:
            return Server(product, tuple(int(number) for number in numbers.group().split(".")))
    return None


def mode(info: Mapping[str, object]) -> str:
    """``standalone``, ``sentinel`` or ``cluster``; empty where it does not say. Valkey has a name of its own for it."""
    return str(info.get("server_mode", info.get("redis_mode", "")))


def troubles(info: Mapping[str, Any]) -> list[Trouble]:
    """What is wrong with the server that gave `info`, all of INFO, the worst first. What it leaves out is fine.

    Out of memory counts as Redis does itself: what replicas and the append-only file have waiting is not counted.
    """
    found: list[Trouble] = []
    server = recognise(info)
    if server is not None and server.too_old:
        found.append(Trouble("too old", f"is too old: it is {server}", f"Loa needs {NEEDED}"))
    if _number(info, "loading"):
        share = str(info.get("loading_loaded_perc", "")) or "?"
        left = _number(info, "loading_eta_seconds")
        about = f", about {left:.0f} s are left" if left else ""
        what = f"is loading its data ({share}% so far{about})"
        found.append(Trouble("loading", what, "wait, or give it longer with redis.ready_seconds"))
    if info.get("role") == "slave" and _number(info, "slave_read_only"):
        primary = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        found.append(
            Trouble("read-only", f"is read-only: it is a replica of {primary}", "name the primary as redis.url")
        )
    most, used = _number(info, "maxmemory"), _number(info, "used_memory") - _number(info, "mem_not_counted_for_evict")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if most and policy == "noeviction" and used > most:
        what = f"is out of memory: it uses {_megabytes(used)} of maxmemory {_megabytes(most)} and refuses every write"
        found.append(Trouble("out of memory", what, "raise its maxmemory"))
    if most and policy != "noeviction":
        what = f"may throw data away: it evicts keys ({policy}) at maxmemory {_megabytes(most)}"
        found.append(Trouble("evicting", what, "set its maxmemory-policy to noeviction"))
    if _number(info, "aof_enabled") and info.get("aof_last_write_status") == "err":
        what = "cannot write its file and so refuses every write"
        found.append(Trouble("cannot write its file", what, "look at the space left on its disk, and at its log"))
    return found


def _number(info: Mapping[str, Any], field: str) -> float:
    try:
        return float(info.get(field, 0))
    except (TypeError, ValueError):
        return 0.0


def _megabytes(bytes: float) -> str:
    return f"{bytes / 1e6:,.1f} MB"
