"""The schemas of the API's description: what is sent, what is answered, and problems.

Limits come from the code that enforces them; the tests hold names against the structs.
"""

from __future__ import annotations

from typing import Any

from notifications.announcement import (
    MAX_BODY,
    MAX_LANGUAGES,
    MAX_PATHS,
    MAX_REASON,
    MAX_SECTIONS,
    MAX_STARS,
    MAX_TITLE,
    MAX_URL,
    MIN_EXPIRY_SECONDS,
    SEVERITIES,
    STATUSES,
    Cap,
)
from notifications.fields import GLOB, LANGUAGE, MOST_SITES
from notifications.settings import NotificationsSettings
from notifications.validation import BEGINNINGS


def schemas(settings: NotificationsSettings) -> dict[str, Any]:
    """All of them, by name."""
    severity = {"enum": [*SEVERITIES], "description": "How urgent it is."}
    title = {"type": "string", "minLength": 1, "maxLength": MAX_TITLE, "description": "One line of plain text."}
    body = {"type": "string", "maxLength": MAX_BODY, "description": "Plain text; may have line breaks."}
    url = {"type": "string", "maxLength": MAX_URL, "description": "An http or https link, or empty."}
    sites = {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "maxItems": MOST_SITES,
        "uniqueItems": True,
        "description": "Site ids.",
    }
    expires_in: dict[str, Any] = {
        "type": "integer",
        "minimum": MIN_EXPIRY_SECONDS,
        "maximum": settings.max_expiry_seconds,
        "description": "For how many seconds it is shown, from now on.",
    }
    revision = {"type": "integer", "minimum": 1, "description": "The revision you have seen."}
    moment = {"type": "string", "format": "date-time"}
    perhaps = {"type": ["string", "null"], "format": "date-time"}
    written = {
        "type": ["string", "null"],
        "description": "RFC 3339; without an offset, by the clock of the sites if they share one.",
    }
    language = {
        "type": "string",
        "pattern": f"^({LANGUAGE.pattern})?$",
        "description": "Of title and body, such as `vi`.",
    }
    reason = {"type": "string", "maxLength": MAX_REASON, "description": "Why; for editors only."}
    test = {"type": "boolean", "description": "Only browsers see it that have asked for tests."}
    further = {
        "type": "object",
        "maxProperties": MAX_LANGUAGES,
        "propertyNames": {"pattern": f"^{LANGUAGE.pattern}$"},
        "additionalProperties": {"$ref": "#/components/schemas/Text"},
        "description": "The text in further languages; the page's language picks, else the main text is shown.",
    }
    audience = {"$ref": "#/components/schemas/Audience"}
    said = {
        "sites": sites,
        "severity": severity,
        "title": title,
        "body": body,
        "url": url,
        "language": language,
        "texts": further,
        "audience": audience,
        "test": test,
    }
    announcement = {
        "id": {"type": "string", "description": "Sorts by time."},
        "revision": {"type": "integer", "minimum": 1, "description": "One more with every change."},
        "status": {"enum": [*STATUSES]},
        **said,
        "starts_at": {**perhaps, "description": "When it goes live by itself."},
        "published_at": perhaps,
        "updated_at": moment,
        "expires_at": perhaps,
        "expires_in": {"type": "integer", "minimum": 0, "description": "For how many seconds it was to be shown."},
        "again": {
            "type": "integer",
            "description": "The newest revision shown also to those who dismissed an earlier one.",
        },
        "reason": {**reason, "description": "Why it was recalled, returned, rejected, discarded or missed."},
        "author": {"type": "string", "description": "Who wrote this text: a token's id, `user:` and a name, …"},
        "author_name": {"type": "string"},
        "approvals": {"type": "array", "items": {"$ref": "#/components/schemas/Approval"}},
        "late_seconds": {"type": "number", "minimum": 0, "description": "How late it went live by itself."},
        "cap": {"anyOf": [{"$ref": "#/components/schemas/Cap"}, {"type": "null"}]},
        "version": {"type": "integer", "description": "Which change of the log told browsers of it last; 0: none."},
    }
    outcome = {
        "durability": {
            "enum": ["disk", "memory"],
            "description": "`memory` where the store cannot say that it is on disk.",
        },
        "sessions": {
            "type": "integer",
            "minimum": 0,
            "description": "Open connections of this node it was written to.",
        },
        "replayed": {"type": "boolean", "description": "This had been carried out before; nothing was done now."},
    }
    wish = {
        **said,
        "expires_in": expires_in,
        "expires_at": {**written, "description": f"When it is over. {written['description']}"},
        "starts_at": {**written, "description": f"When it goes live by itself. {written['description']}"},
    }
    draft = {
        **wish,
        "body": {**body, "default": ""},
        "url": {**url, "default": ""},
        "test": {**test, "default": False},
        "expires_in": {**expires_in, "default": settings.default_expiry_seconds},
        "status": {"enum": [*BEGINNINGS], "default": "live", "description": "`live` sends it now."},
    }
    change = {
        **wish,
        "show_again": {
            "type": "boolean",
            "default": False,
            "description": "Show it again to those who dismissed an earlier revision.",
        },
        "revision": revision,
    }
    why = {"reason": {**reason, "default": ""}, "revision": revision}
    listed = {
        "announcements": {"type": "array", "items": {"$ref": "#/components/schemas/Announcement"}},
        "before": {"type": "string", "description": "Give this as `before` for the next ones; empty at the end."},
    }
    schedule = {"starts_at": {**written, "type": "string"}, "revision": revision}
    return {
        "Draft": _closed(_object(draft, ["sites", "severity", "title"])),
        "Change": {**_closed(_object(change, [])), "minProperties": 1},
        "Recall": _closed(_object(why, [])),
        "Reason": _closed(_object({**why, "reason": {**reason, "minLength": 1}}, ["reason"])),
        "Schedule": _closed(_object(schedule, ["starts_at"])),
        "Text": _closed(_object({"title": title, "body": body, "url": url}, ["title"])),
        "Audience": _closed(_object(_audience(), [])),
        "Approval": _object({"owner": {"type": "string"}, "name": {"type": "string"}, "at": moment}),
        "Cap": _object(_cap(), ["identifier", "sender", "sent"]),
        "Announcement": _object(announcement),
        "Published": _object({**announcement, **outcome}),
        "Listed": _object(listed),
        "Problem": _problem_schema(),
    }


def _audience() -> dict[str, Any]:
    def names(pattern: str, most: int, description: str) -> dict[str, Any]:
        item = {"type": "string", "pattern": f"^{pattern}$"}
        return {"type": "array", "items": item, "maxItems": most, "description": description}

    return {
        "sections": names(r"[\w-]{1,64}", MAX_SECTIONS, "Pages of one of these sections."),
        "paths": names(
            GLOB.pattern,
            MAX_PATHS,
            "Pages whose path matches one of these; `*` stops at a slash, `**` does not; "
            f"at most {MAX_STARS} of them in each.",
        ),
        "languages": names(LANGUAGE.pattern, MAX_LANGUAGES, "Pages in one of these languages."),
        "visible": {"type": "boolean", "description": "Only pages that are looked at."},
    }


def _cap() -> dict[str, Any]:
    text = {"type": "string"}
    texts = {"type": "array", "items": text}
    lists = {"categories", "areas"}
    return {name: texts if name in lists else text for name in Cap.__struct_fields__}


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "additionalProperties": False}


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    wrong = _object(
        {
            "field": text,
            "pointer": {**text, "description": "JSON pointer into the body."},
            "detail": text,
            "line": {"type": "integer", "minimum": 0, "description": "Of a CAP message: where the element begins."},
        },
        ["field", "pointer", "detail"],
    )
    members = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "errors": {"type": "array", "items": wrong},
        "needed": {"type": "integer", "description": "403: how many others have to approve of it."},
        "given": {"type": "integer", "description": "403: how many have."},
        "state": {"enum": [*STATUSES], "description": "409: the state that does not allow it."},
        "revision": {"type": "integer", "description": "409, 412: the revision it is at."},
        "current": {"$ref": "#/components/schemas/Announcement"},
        "changed": {
            "type": "array",
            "items": _object({"field": text, "before": {}, "after": {}}),
            "description": (
                "409, 412: what `current` has otherwise than the revision you named; absent if that is too long ago."
            ),
        },
        "outcome": {"enum": ["not_sent", "unknown"], "description": "503: whether it may have been carried out."},
        "idempotency_key": {"type": "string", "description": "503: repeat the request with this key."},
    }
    return _object(members, ["type", "title", "status"])


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties] if required is None else required}
