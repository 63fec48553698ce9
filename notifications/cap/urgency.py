"""How urgent, severe and certain a thing is, by the words of CAP and by ours: one table there, one back.

CAP says with three words how urgent, how severe and how certain (CAP 1.2, section 3.2.2), we say with one how much a
reader is to be disturbed. What is past or unlikely disturbs nobody; an emergency is what threatens life or property,
now, and is certain or nearly so.

Pure. ``docs/cap.md`` shows both tables, and a test holds it against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from notifications.announcement import SEVERITIES, Severity
from notifications.cap import schema


class Words(NamedTuple):
    """What CAP says of a thing."""

    urgency: str
    severity: str
    certainty: str


class Row(NamedTuple):
    """Where each of the three words is among these, ours is `severity`; no words: any."""

    severities: tuple[str, ...]
    urgencies: tuple[str, ...]
    certainties: tuple[str, ...]
    severity: Severity


_GRAVE = ("Extreme", "Severe")
_CERTAIN = ("Observed", "Likely")

# The first row that fits decides; the last fits always.
TABLE: tuple[Row, ...] = (
    Row((), ("Past",), (), "info"),
    Row((), (), ("Unlikely",), "info"),
    Row(_GRAVE, ("Immediate",), _CERTAIN, "emergency"),
    Row(_GRAVE, ("Immediate", "Expected"), (), "breaking"),
    Row(("Moderate",), ("Immediate",), _CERTAIN, "breaking"),
    Row(_GRAVE, (), (), "notice"),
    Row(("Moderate",), (), (), "notice"),
    Row(("Unknown",), ("Immediate",), _CERTAIN, "notice"),
    Row((), (), (), "info"),
)

# What is said of an announcement that no CAP message is known of, or whose severity an editor has changed since.
BACK: Mapping[Severity, Words] = {
    "emergency": Words("Immediate", "Extreme", "Observed"),
    "breaking": Words("Immediate", "Moderate", "Observed"),
    "notice": Words("Expected", "Moderate", "Likely"),
    "info": Words("Unknown", "Minor", "Unknown"),
}


def ours(words: Words) -> Severity:
    """Our severity for what CAP says."""
    for row in TABLE:
        fits = zip((row.urgencies, row.severities, row.certainties), words, strict=True)
        if all(not allowed or word in allowed for allowed, word in fits):
            return row.severity
    raise AssertionError("the last row fits always")


def theirs(severity: Severity, came: Words | None = None) -> Words:
    """What CAP is told: what `came`, as long as it still means `severity`."""
    if came is not None and _known(came) and ours(came) == severity:
        return came
    return BACK[severity]


def rises(before: Severity, now: Severity) -> bool:
    """Whether `now` is more urgent than `before`."""
    return SEVERITIES.index(now) > SEVERITIES.index(before)


def tables() -> str:
    """Both tables in Markdown, for ``docs/cap.md``."""
    lines = ["| severity | urgency | certainty | ours |", "|---|---|---|---|"]
    for row in TABLE:
        cells = [", ".join(words) or "any" for words in (row.severities, row.urgencies, row.certainties)]
        lines.append(f"| {' | '.join(cells)} | `{row.severity}` |")
    lines += ["", "| ours | severity | urgency | certainty |", "|---|---|---|---|"]
    for severity, words in BACK.items():
        lines.append(f"| `{severity}` | {words.severity} | {words.urgency} | {words.certainty} |")
    return "\n".join(lines)


def _known(words: Words) -> bool:
    return (
        words.urgency in schema.URGENCIES
        and words.severity in schema.SEVERITIES
        and words.certainty in schema.CERTAINTIES
    )
