"""What a CMS has posted, as the announcement it asks for.

``{"type": "article.published", "data": {"title": …, "body": …, "url": …, "severity": …, "sites": …, "section": …}}``:
`data` is what ``POST /api/v1/announcements`` takes, with less to be said, since the hook knows its sites; members
nobody here knows are passed over, for a CMS says much of an article. What is wrong is named as it stood there.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from notifications import validation
from notifications.announcement import Draft
from notifications.errors import Invalid, WrongField
from notifications.validation import Bounds
from notifications.webhooks.webhook import Hook, Then

# Whatever the hook says, who asks for a draft gets a draft.
DRAFT_TYPE = "announcement.draft"
TYPES = ("article.published", "announcement.published", DRAFT_TYPE)

TAKEN = (
    "title", "body", "url", "severity", "sites", "language", "texts", "audience", "test", "expires_in", "expires_at",
)  # fmt: skip
SEVERITY = "notice"


class Incoming(NamedTuple):
    """What is asked for, and what is to become of it."""

    draft: Draft
    then: Then


def read(document: object, hook: Hook, bounds: Bounds) -> Incoming | None:
    """What is asked for; None if it is something that is not taken, such as that an article was deleted.

    Args:
        document: The decoded body, whose signature was verified.
        hook: By which it came.
        bounds: Of the deployment; of its sites, only the hook's are meant.

    Raises:
        Invalid: With all that is wrong.
    """
    if not isinstance(document, Mapping):
        raise Invalid([WrongField("", "", "must be a JSON object")])
    kind, data = document.get("type"), document.get("data")
    if not isinstance(kind, str):
        raise Invalid([WrongField("type", "/type", f"must be text, such as {TYPES[0]}")])
    if kind not in TYPES:
        return None
    if not isinstance(data, Mapping):
        raise Invalid([WrongField("data", "/data", "must be an object")])
    try:
        draft = validation.draft(_wanted(data, hook), bounds._replace(sites=hook.sites))
    except Invalid as error:
        raise Invalid([WrongField(one.field, _pointer(one.pointer, data), one.detail) for one in error.wrong]) from None
    return Incoming(draft, "draft" if kind == DRAFT_TYPE else hook.then)


def _wanted(data: Mapping[str, Any], hook: Hook) -> dict[str, Any]:
    """As ``POST /api/v1/announcements`` takes it; null is as if it were not there."""
    wanted = {name: data[name] for name in TAKEN if data.get(name) is not None}
    wanted.setdefault("severity", SEVERITY)
    wanted.setdefault("sites", [*hook.sites])
    if "audience" not in wanted and (section := data.get("section")) not in (None, ""):
        wanted["audience"] = {"sections": section if isinstance(section, list) else [section]}
    return wanted


def _pointer(pointer: str, data: Mapping[str, Any]) -> str:
    if "audience" not in data:
        pointer = pointer.replace("/audience/sections", "/section")
    return "/data" + pointer
