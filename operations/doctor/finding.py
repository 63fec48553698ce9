"""What a check has found. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

# bad: something does not work or will be lost. warning: it works, and not as well or as safely as it could.
# unknown: it could not be looked at, and why.
Level: TypeAlias = Literal["ok", "warning", "bad", "unknown"]


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the doctor's.

    Attributes:
        check: What was looked at, always the same word.
        level: How it is.
        found: What is so.
        remedy: What to do; empty where there is nothing to.
    """

    check: str
    level: Level
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check=check, level="ok", found=found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """It works, and could be better."""
    return Finding(check=check, level="warning", found=found, remedy=remedy)


def bad(check: str, found: str, remedy: str) -> Finding:
    """It does not work, or will not for long."""
    return Finding(check=check, level="bad", found=found, remedy=remedy)


def unknown(check: str, found: str, remedy: str) -> Finding:
    """It could not be looked at."""
    return Finding(check=check, level="unknown", found=found, remedy=remedy)
