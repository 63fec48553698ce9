"""What a backup takes, key by key, and what a restore does with the keys it does not take.

There is no line for "everything else": a new form of key is undecided until somebody decides, and a test fails until
then. The first line that matches counts.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from store.inventory import Kept, Language

Kind: TypeAlias = Literal["string", "hash", "set", "zset", "list", "stream"]
# keep: is in the file. end: is not, and ends with what a restore replaces, since it speaks of that. stay: is not, and a
# restore leaves it alone.
Fate: TypeAlias = Literal["keep", "end", "stay"]

# Keys of this room of the store while a restore is at work, see `store.py`; they keep their hash tags.
STAGE = "restoring"


class Choice(NamedTuple):
    """What becomes of one form of key.

    Attributes:
        pattern: The key behind the prefix, with ``*`` where keys differ.
        fate: What becomes of it.
        part: The part of the installation it belongs to; empty where it is not kept.
        kinds: The store's types it may have; a file that says another is not one of ours.
        why: Of what is not kept.
    """

    pattern: str
    fate: Fate
    part: str = ""
    kinds: tuple[Kind, ...] = ()
    why: str = ""

    def matches(self, key: str) -> bool:
        """Whether `key`, without the prefix, is of this form."""
        return _form(self.pattern).matches(key)


_NOTHING: Mapping[Language, str] = {"vi": "", "en": ""}


def _form(pattern: str) -> Kept:
    return Kept(pattern, _NOTHING, "nobody", _NOTHING)


def _keep(part: str, pattern: str, *kinds: Kind) -> Choice:
    return Choice(pattern, "keep", part, kinds)


# What is read under one check of the versions, so that state, log and trail agree with each other.
ANNOUNCEMENTS = "announcements"
TRAIL = "{announcements}:audit"
TRAIL_HEAD = "{announcements}:audit_head"
HEAD = "{announcements}:head"

CHOICES = (
    _keep(ANNOUNCEMENTS, HEAD, "hash"),
    _keep(ANNOUNCEMENTS, "{announcements}:state", "hash"),
    _keep(ANNOUNCEMENTS, "{announcements}:log", "stream"),
    _keep(ANNOUNCEMENTS, "{announcements}:active", "zset"),
    _keep(ANNOUNCEMENTS, "{announcements}:ids", "zset"),
    _keep(ANNOUNCEMENTS, "{announcements}:due", "zset"),
    _keep(ANNOUNCEMENTS, TRAIL_HEAD, "hash"),
    _keep(ANNOUNCEMENTS, TRAIL, "stream"),
    Choice("{announcements}:canary:*", "stay", why="each worker's canary, for a minute"),
    Choice("{announcements}:once:*", "end", why="answers to requests; a request of before is not repeated after"),
    _keep("CAP messages", "{announcements}:cap:*", "hash"),
    _keep("webhooks", "{announcements}:webhooks:all", "hash"),
    _keep("webhooks", "{announcements}:webhooks:hooks", "hash"),
    _keep("webhooks", "{announcements}:webhooks:cursor", "hash"),
    _keep("webhooks", "{announcements}:webhooks:disabled", "hash"),
    _keep("webhooks", "{announcements}:webhooks:waiting:*", "hash"),
    _keep("webhooks", "{announcements}:webhooks:expiring:*", "zset"),
    _keep("webhooks", "{announcements}:webhooks:dead", "stream"),
    Choice("{announcements}:webhooks:lease", "end", why="whose turn it is to deliver; a new turn begins"),
    Choice("{announcements}:webhooks:changes", "stay", why="a count that only ever needs to be another than before"),
    _keep("reach", "{announcements}:reach:*", "hash", "string"),
    _keep("people", "{people}:users", "hash"),
    _keep("people", "{people}:passwords", "hash"),
    Choice("{people}:session:*", "end", why="sessions: whoever was signed in signs in again"),
    Choice("{people}:sessions:*", "end", why="sessions: whoever was signed in signs in again"),
    Choice("{people}:devices:*", "end", why="browsers that somebody has signed in with; they are known again soon"),
    Choice("{people}:tries:*", "stay", why="sign-ins that failed in the last hour"),
    _keep("tokens", "{tokens}:all", "hash"),
    _keep("tokens", "{tokens}:used", "hash"),
    _keep("tokens", "{tokens}:first", "string"),
    Choice("{tokens}:local:*", "end", why="tokens of single commands, for two minutes"),
    _keep("samples", "{samples}:*", "hash"),
    _keep("secret of readers' ids", "presence:secret", "string"),
    Choice("presence:epoch", "stay", why="a mark by which a loss of leases is noticed"),
    Choice("presence:{*}:reading", "stay", why="leases: readers who are here now"),
    Choice("presence:{*}:idle", "stay", why="leases: readers who are here now"),
    Choice("presence:{*}:background", "stay", why="leases: readers who are here now"),
    Choice("presence:{*}:section:*", "stay", why="leases: readers who are here now"),
    Choice("presence:{*}:page:*", "stay", why="leases: readers who are here now"),
    Choice("presence:{*}:apart", "stay", why="what workers say of themselves now"),
    _keep("history", "history:{*}:views:*", "hash"),
    _keep("history", "history:{*}:visits:*", "hash"),
    _keep("history", "history:{*}:total", "hash"),
    _keep("history", "history:{*}:record", "hash"),
    _keep("history", "history:{*}:imported", "hash"),
    _keep("history", "history:{*}:readers:*", "string"),
    _keep("history", "history:{*}:minutes:*", "string"),
    _keep("history", "history:{*}:hours:*", "string"),
    Choice("history:{*}:applied:*", "stay", why="how far workers that run now have got"),
    Choice("history:{*}:candidates", "stay", why="the pages most read now, for a minute"),
    Choice("history:{*}:pages:*", "stay", why="the pages most read now, for a quarter of an hour"),
    _keep("versions of the widget", "widgets", "hash"),
    Choice("layout", "stay", why="the file says its layout itself"),
    Choice(f"{STAGE}:*", "stay", why="what an interrupted restore has left; the next one clears it away"),
)

PARTS = tuple(dict.fromkeys(choice.part for choice in CHOICES if choice.part))


def chosen(key: str) -> Choice | None:
    """What becomes of `key`, which is without the prefix; None if nobody has decided."""
    return next((choice for choice in CHOICES if choice.matches(key)), None)
