"""What is different between two revisions of an announcement, for the editor who has seen only the older one. Pure."""

from __future__ import annotations

from typing import Any, TypedDict

import msgspec

from notifications.announcement import ForEditors

# They differ between any two revisions, or say what others here say already.
_ALWAYS = frozenset({"revision", "version", "updated_at"})


class Changed(TypedDict):
    """One member of an announcement, as it was and as it is, in the words of the API."""

    field: str
    before: Any
    after: Any


def difference(before: ForEditors, after: ForEditors) -> list[Changed]:
    """The members that differ, in the order in which the API shows them."""
    was, now = (msgspec.to_builtins(one) for one in (before, after))
    return [
        Changed(field=name, before=was[name], after=now[name])
        for name in was
        if name not in _ALWAYS and was[name] != now[name]
    ]
