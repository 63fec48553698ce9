"""Why a session ends: the close codes this service uses, what each means, and whether to come back.

The table is the source of the one in ``docs/protocol.md``; a test holds the two together. Codes below 4000 are
those of RFC 6455 section 7.4 and the IANA registry.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class CloseCode(IntEnum):
    """The codes a session of ours may end with; 1000 and 1001 only in answer to the browser's own."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    INVALID_TEXT = 1007
    FLOOD = 1008
    TOO_LONG = 1009
    SERVER_FAULT = 1011
    RESTART = 1012
    TRY_LATER = 1013


class Meaning(NamedTuple):
    """What a code says to a person, and to the browser's reconnection."""

    says: str
    return_after: str


MEANINGS: dict[CloseCode, Meaning] = {
    CloseCode.NORMAL: Meaning("the browser left", "no; with backoff if it did not ask for it"),
    CloseCode.GOING_AWAY: Meaning("the page was closed", "no; with backoff if it did not ask for it"),
    CloseCode.PROTOCOL_ERROR: Meaning("a frame broke RFC 6455", "after one to two minutes"),
    CloseCode.UNSUPPORTED: Meaning("a binary message", "after one to two minutes"),
    CloseCode.INVALID_TEXT: Meaning("text that is not UTF-8", "after one to two minutes"),
    CloseCode.FLOOD: Meaning("too many messages", "after one to two minutes"),
    CloseCode.TOO_LONG: Meaning("a message over the limit", "after one to two minutes"),
    CloseCode.SERVER_FAULT: Meaning("the server failed; it has logged why", "with backoff"),
    CloseCode.RESTART: Meaning("the worker is draining", "after `retry_ms`"),
    # In reserve: a worker that is full refuses before the upgrade, with 503. Browsers heed it already, so that sessions
    # can be sent elsewhere some day without waiting for their widgets to be new.
    CloseCode.TRY_LATER: Meaning("the worker is too full; not sent yet", "after `retry_ms`"),
}
