"""Settings that change while the service runs: what stands in for a section, and what a reload may change of it.

Objects hold a section for as long as they live. Where it may change they are handed a stand-in instead: it has the same
attributes, and each is looked up, when it is read, in the section in force. Nobody has to be told; whoever has made
something of a value says so at its class, and is told by the roof.

A section names in ``LIVE`` which of its keys may change so. Everything else waits for a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class _StandIn:
    """Has the attributes of the section in force."""

    __slots__ = ("_section",)

    def __init__(self, section: msgspec.Struct) -> None:
        self._section = section

    def __getattr__(self, name: str) -> object:
        return getattr(self._section, name)


def stand_in(section: T) -> T:
    """What to hand to those who are to see changes of `section`."""
    return cast(T, _StandIn(section))


def adopt(standing_in: T, section: T) -> None:
    """From now on `standing_in`, made by `stand_in`, is `section`."""
    cast(_StandIn, standing_in)._section = section


@dataclass(frozen=True, slots=True)
class Change:
    """What a new file means for a service that runs.

    Attributes:
        settings: To be in force from now on: the old ones with all that may change of the new.
        applied: Dotted keys that change.
        waiting: Dotted keys that are other ones in the new file, and take a restart.
    """

    settings: Any
    applied: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def compare(old: T, new: T) -> Change:
    """What changes from `old`, in force, to `new`, of the same type and accepted by itself. Pure.

    Raises:
        ValueError: What can be changed now contradicts what cannot.
    """
    change = Change(None)
    sections: dict[str, Any] = {}
    for name in old.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Mapping):
            sections[name] = _members(name, before, after, change)
        else:
            sections[name] = _section(name, before, after, change)
    return Change(msgspec.structs.replace(old, **sections), change.applied, change.waiting)


def _members(name: str, before: Mapping[str, Any], after: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """A section of structs by id: members come and go, where the struct has anything that may change."""
    change.applied.extend(f"{name}.{id}" for id in (*after.keys() - before.keys(), *before.keys() - after.keys()))
    return {id: _section(f"{name}.{id}", before[id], one, change) if id in before else one for id, one in after.items()}


def _section(path: str, before: Any, after: Any, change: Change) -> Any:
    if not isinstance(before, msgspec.Struct):
        if before != after:
            change.waiting.append(path)
        return before
    live: frozenset[str] = getattr(type(before), "LIVE", frozenset())
    values: dict[str, Any] = {}
    for key in before.__struct_fields__:
        if getattr(before, key) == getattr(after, key):
            continue
        (change.applied if key in live else change.waiting).append(f"{path}.{key}")
        if key in live:
            values[key] = getattr(after, key)
    # The same object where nothing changes: what was made of it stays good.
    return msgspec.structs.replace(before, **values) if values else before
