"""How large the frame of an announcement may be: every page is sent it, and who reads slowly has it waiting.

Each field has its own limit, but fifty globs in Vietnamese, percent-encoded and made regular expressions, come to ten
times what they were typed as. So the whole is measured as it goes out.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from notifications.announcement import MAX_FRAME, Announcement, for_browsers
from notifications.audience import conditions
from notifications.errors import Invalid, WrongField

# Longer than any there is: revisions and versions have grown by the time it is sent again.
_ID = "0" * 26
_NUMBER = 2**53 - 1
_LATE_MS = 253_402_300_799_999


def refuse_oversized(content: Mapping[str, Any]) -> None:
    """Nothing, if a frame of it is small enough.

    Args:
        content: The members of an announcement that its text and its audience decide.

    Raises:
        Invalid: It is larger than ``MAX_FRAME``; names what of it is largest.
    """
    size = len(msgspec.json.encode(for_browsers(_largest(content))))
    if size <= MAX_FRAME:
        return
    audience = len(msgspec.json.encode(conditions(content["audience"])))
    field = "audience" if 2 * audience > size else "texts"
    detail = f"makes the announcement {size:,} bytes for every page that is sent it; at most {MAX_FRAME:,} are allowed"
    raise Invalid([WrongField(field, f"/{field}", detail)])


def _largest(content: Mapping[str, Any]) -> Announcement:
    return Announcement(
        id=_ID,
        revision=_NUMBER,
        version=_NUMBER,
        status="recalled",
        published_ms=_LATE_MS,
        updated_ms=_LATE_MS,
        expires_ms=_LATE_MS,
        again=_NUMBER,
        **content,
    )
