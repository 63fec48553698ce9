"""The audit trail: who did what, when and from where, and what there was before and after; each entry chained to the
last.

An entry is written in the same step of the store as what it tells of (``lua/audit.lua``), so there is none without the
other. The chain finds entries that were changed, removed, inserted or put in another order. It cannot find that
somebody who may write to the store has written the whole trail anew: whoever needs that keeps the hash of the last
entry, which ``loa audit verify`` prints, in another place, and gives it to a later one with ``--known``.

Pure: what is read from the store or a file is given to a :class:`Verifier` line by line.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from notifications.actor import Actor
from store.errors import NOT_UNDERSTOOD

# Of announcements, the actions of ``lifecycle.py``; and what was tried and is worth knowing of.
Act: TypeAlias = Literal[
    "draft", "submit", "schedule", "publish", "edit", "endorse", "approve", "return", "reject", "hold", "unschedule",
    "send", "start", "miss", "update", "recall", "expire", "discard",
    "approve.refused",
    "token.create", "token.revoke",
    "webhook.add", "webhook.remove", "webhook.rotate", "webhook.enable", "webhook.test", "webhook.retry",
    "webhook.drop", "hook.add", "hook.remove", "hook.rotate",
    "user.add", "user.change", "user.disable", "user.enable", "user.password", "user.remove", "user.sign_in",
    "template.keep", "template.remove", "store.restore",
]  # fmt: skip

BEGINNING = hashlib.sha1(b"loa audit", usedforsecurity=False).hexdigest()


class Line(NamedTuple):
    """One entry byte for byte, JSON, and the hash over it and all before it."""

    entry: bytes
    chain: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says.

    Attributes:
        seq: Its number, from 1 without a gap.
        at_ms: When, by the store's clock.
        act: What was done.
        owner, name, role, address, person: Who did it, see :class:`Actor`; the last only where there is one.
        id: Of the announcement, the token or the template; a user's name.
        revision: Of the announcement, as the act left it; 0 of all else.
        before: What there was, None if nothing.
        after: What there is, None if nothing.
    """

    seq: int
    at_ms: int
    act: str
    owner: str
    name: str = ""
    role: str = ""
    address: str = ""
    person: str = ""
    id: str = ""
    revision: int = 0
    before: Any = None
    after: Any = None


class Fault(NamedTuple):
    """Where a trail is not what was written, and in what way."""

    seq: int
    why: str


class Exported(msgspec.Struct, frozen=True):
    """A line of an exported trail; the entry is kept as it was written, since the chain is over its bytes."""

    entry: msgspec.Raw
    chain: str


def members(act: Act, by: Actor) -> bytes:
    """The members that say who did what, JSON without braces."""
    who = msgspec.structs.asdict(by)
    if not by.person:
        del who["person"]
    return msgspec.json.encode({"act": act, **who})[1:-1]


def chained(chain: str, entry: bytes) -> str:
    """The hash after an entry, as ``lua/audit.lua`` computes it."""
    return hashlib.sha1(f"{chain}|".encode() + entry, usedforsecurity=False).hexdigest()


def exported(line: Line) -> bytes:
    """The entry as one line of JSON lines, with the hash by which it can be verified wherever the file goes."""
    return b'{"entry":%b,"chain":"%b"}\n' % (line.entry, line.chain.encode())


def imported(text: bytes) -> Line:
    """The opposite of `exported`.

    Raises:
        msgspec.DecodeError: It is no such line.
    """
    read = msgspec.json.decode(text, type=Exported)
    return Line(bytes(read.entry), read.chain)


class Verifier:
    """Takes in a trail from its first entry to its last, and says what is wrong with it.

    Attributes:
        seq: Of the last entry that was in order; 0 before the first.
        chain: The hash of that entry.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.chain = BEGINNING

    def take(self, line: Line) -> Fault | None:
        """Takes in the next entry; None if it is what was written there."""
        wanted = self.seq + 1
        try:
            seq = msgspec.json.decode(line.entry, type=Entry).seq
        except NOT_UNDERSTOOD as error:
            return Fault(wanted, f"entry {wanted} cannot be read: {error}")
        if seq > wanted:
            missing = f"entry {wanted} is" if seq == wanted + 1 else f"entries {wanted} to {seq - 1} are"
            return Fault(wanted, f"{missing} missing")
        if seq < wanted:
            return Fault(wanted, f"entry {wanted} is not there; entry {seq} stands in its place")
        if chained(self.chain, line.entry) != line.chain:
            return Fault(wanted, f"entry {wanted} is not what was written, or its hash is not")
        self.seq, self.chain = seq, line.chain
        return None

    def finish(self, last: tuple[int, str]) -> Fault | None:
        """All entries have been taken; `last` is the number and the hash of the last that was written."""
        seq, chain = last
        if seq > self.seq:
            missing = f"entry {seq} is" if seq == self.seq + 1 else f"entries {self.seq + 1} to {seq} are"
            return Fault(self.seq + 1, f"{missing} missing at the end")
        if (seq, chain) != (self.seq, self.chain):
            return Fault(self.seq, f"the trail ends with entry {self.seq}, which is not the last that was written")
        return None
