"""What a CAP 1.2 message consists of: one table, in the order the elements must stand in.

Our own words for the data dictionary of the OASIS standard "Common Alerting Protocol Version 1.2" of 1 July 2010
(section 3.2; the types of values: section 3.3) and its schema (section 3.4). What a value must look like is in
``notifications/cap/values.py``, what depends on another element in ``notifications/cap/checking.py``.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from notifications.cap import values

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
OLDER = {"http://www.incident.com/cap/1.0": "1.0", "urn:oasis:names:tc:emergency:cap:1.1": "1.1"}
# A signature may end a message (section 3.3.4.1); it is passed over, not verified.
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"

STATUSES = ("Actual", "Exercise", "System", "Test", "Draft")
MESSAGES = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
CATEGORIES = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
RESPONSES = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")

ANY_NUMBER = 1 << 30


class Rule(NamedTuple):
    """One element of a parent.

    Attributes:
        name: What it is called.
        least, most: How often it must and may stand there.
        check: What is wrong with its text; None if it consists of elements.
        section: Where the standard describes it.
    """

    name: str
    least: int
    most: int
    check: values.Check | None
    section: str


def _rows(section: str, *rows: tuple[str, int, int, values.Check | None]) -> tuple[Rule, ...]:
    return tuple(Rule(*row, section) for row in rows)


_PAIR = _rows("3.2.2", ("valueName", 1, 1, values.text), ("value", 1, 1, values.text))

CHILDREN: Mapping[str, tuple[Rule, ...]] = {
    "alert": _rows(
        "3.2.1",
        ("identifier", 1, 1, values.name),
        ("sender", 1, 1, values.name),
        ("sent", 1, 1, values.moment),
        ("status", 1, 1, values.one_of(STATUSES)),
        ("msgType", 1, 1, values.one_of(MESSAGES)),
        ("source", 0, 1, values.text),
        ("scope", 1, 1, values.one_of(SCOPES)),
        ("restriction", 0, 1, values.text),
        ("addresses", 0, 1, values.quoted_words),
        ("code", 0, ANY_NUMBER, values.text),
        ("note", 0, 1, values.text),
        ("references", 0, 1, values.references),
        ("incidents", 0, 1, values.quoted_words),
        ("info", 0, ANY_NUMBER, None),
    ),
    "info": _rows(
        "3.2.2",
        ("language", 0, 1, values.language),
        ("category", 1, ANY_NUMBER, values.one_of(CATEGORIES)),
        ("event", 1, 1, values.filled),
        ("responseType", 0, ANY_NUMBER, values.one_of(RESPONSES)),
        ("urgency", 1, 1, values.one_of(URGENCIES)),
        ("severity", 1, 1, values.one_of(SEVERITIES)),
        ("certainty", 1, 1, values.one_of(CERTAINTIES)),
        ("audience", 0, 1, values.text),
        ("eventCode", 0, ANY_NUMBER, None),
        ("effective", 0, 1, values.moment),
        ("onset", 0, 1, values.moment),
        ("expires", 0, 1, values.moment),
        ("senderName", 0, 1, values.text),
        ("headline", 0, 1, values.text),
        ("description", 0, 1, values.text),
        ("instruction", 0, 1, values.text),
        ("web", 0, 1, values.address),
        ("contact", 0, 1, values.text),
        ("parameter", 0, ANY_NUMBER, None),
        ("resource", 0, ANY_NUMBER, None),
        ("area", 0, ANY_NUMBER, None),
    ),
    "resource": _rows(
        "3.2.3",
        ("resourceDesc", 1, 1, values.text),
        ("mimeType", 1, 1, values.filled),
        ("size", 0, 1, values.whole),
        ("uri", 0, 1, values.address),
        ("derefUri", 0, 1, values.text),
        ("digest", 0, 1, values.text),
    ),
    "area": _rows(
        "3.2.4",
        ("areaDesc", 1, 1, values.text),
        ("polygon", 0, ANY_NUMBER, values.polygon),
        ("circle", 0, ANY_NUMBER, values.circle),
        ("geocode", 0, ANY_NUMBER, None),
        ("altitude", 0, 1, values.decimal),
        ("ceiling", 0, 1, values.decimal),
    ),
    "eventCode": _PAIR,
    "parameter": _PAIR,
    "geocode": _PAIR,
}
