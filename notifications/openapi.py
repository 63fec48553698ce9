"""The API described for programs: an OpenAPI 3.1 document. ``explanation.py`` makes a page of it for people.

Limits come from the code that enforces them; the tests hold names and statuses against the handlers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notifications.announcement import (
    MAX_BODY,
    MAX_REASON,
    MAX_TITLE,
    MAX_URL,
    MIN_EXPIRY_SECONDS,
    SEVERITIES,
    STATUSES,
)
from notifications.reading import ID, KEY, MAX_BODY_BYTES, MAX_KEY, MAX_PAGE, PAGE
from notifications.settings import NotificationsSettings
from notifications.validation import MOST_SITES

PATH = "/api/openapi.json"
PAGE_PATH = "/api/docs"
STYLESHEET_PATH = "/api/docs.css"

_ID = "01kavg3n4m7q2x8r5t9w0y1z3b"
_DRAFT = {
    "sites": ["demo"],
    "severity": "breaking",
    "title": "Lũ trên sông Mã lên nhanh",
    "body": "Người dân vùng trũng chủ động di chuyển đến nơi an toàn.",
    "url": "https://portal.example.vn/lu-song-ma",
    "expires_in": 7200,
}
_SHOWN = {
    "id": _ID,
    "revision": 1,
    "status": "live",
    **{name: value for name, value in _DRAFT.items() if name != "expires_in"},
    "published_at": "2026-11-23T04:25:16.120Z",
    "updated_at": "2026-11-23T04:25:16.120Z",
    "expires_at": "2026-11-23T06:25:16.120Z",
    "again": 1,
    "reason": "",
    "version": 17,
}
_PUBLISHED = {**_SHOWN, "durability": "disk", "sessions": 5716, "replayed": False}
_REVISED = {"revision": 2, "version": 18, "updated_at": "2026-11-23T04:31:02.004Z"}


def describe(settings: NotificationsSettings, further: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The OpenAPI document of a deployment.

    Args:
        settings: Its limits.
        further: Path items of other rooms, each complete in itself.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Loa",
            "version": "1",
            "summary": "Announcements to everybody who is reading now.",
            "description": (
                "Send an announcement, correct it, take it back. These calls take a token: "
                "`Authorization: Bearer loa_…`, made with `loa token create`. "
                "Errors are problem documents (RFC 9457) that name each wrong field."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [
            {"name": "announcements", "description": "What readers are told."},
            {"name": "presence", "description": "How many readers there are."},
        ],
        "paths": {
            "/api/v1/announcements": {"post": _publish(), "get": _list()},
            "/api/v1/announcements/{id}": {"parameters": [_ID_PARAMETER], "get": _show(), "patch": _update()},
            "/api/v1/announcements/{id}/recall": {"parameters": [_ID_PARAMETER], "post": _recall()},
            **(further or {}),
            PATH: {"get": _open("describe", "This description", "application/json")},
            PAGE_PATH: {"get": _open("explain", "This description as a page", "text/html")},
            STYLESHEET_PATH: {"get": _open("style", "The stylesheet of that page", "text/css")},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(settings),
            "headers": _HEADERS,
        },
    }


def _publish() -> dict[str, Any]:
    return {
        "operationId": "publish",
        "tags": ["announcements"],
        "summary": "Send an announcement",
        "description": (
            "Every page that is open on one of the sites shows it within a second; pages opened later, while it has "
            "not expired. Send an `Idempotency-Key` and repeat the request with the same one whenever no answer came: "
            "it is carried out once, and the first answer is given again with `replayed` true. A 401 or 429 on a "
            "repeated request says nothing of the first."
        ),
        "parameters": [_KEY_PARAMETER],
        "requestBody": _body("Draft", _DRAFT),
        "responses": {
            "201": _response("It is published.", "Published", _PUBLISHED, "Location", "ETag", "Idempotency-Key"),
            **_problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503),
        },
    }


def _list() -> dict[str, Any]:
    return {
        "operationId": "list",
        "tags": ["announcements"],
        "summary": "List announcements, the newest first",
        "parameters": [
            _query("site", {"type": "string"}, "Only those of this site."),
            _query("status", {"enum": [*STATUSES]}, "Only those in this state."),
            _query(
                "limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE}, "How many at most."
            ),
            _query("before", _ID_SCHEMA, "Only those older than this id; `before` of the answer continues a list."),
        ],
        "responses": {
            "200": _response("Some of them.", "Listed", {"announcements": [_SHOWN], "before": ""}),
            **_problems(401, 403, 422, 429, 503),
        },
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "show",
        "tags": ["announcements"],
        "summary": "Show an announcement",
        "responses": {
            "200": _response("As it is now.", "Announcement", _SHOWN, "ETag"),
            **_problems(401, 403, 404, 429, 503),
        },
    }


def _update() -> dict[str, Any]:
    change = {"title": "Lũ trên sông Mã đã đạt đỉnh", "revision": 1, "show_again": True}
    changed = {**_PUBLISHED, **_REVISED, "title": change["title"], "again": 2}
    return {
        "operationId": "update",
        "tags": ["announcements"],
        "summary": "Correct a live announcement in place",
        "description": (
            "Members that are left out stay as they are. Name the `revision` you have seen, or send its ETag in "
            "`If-Match`, and the change is refused (409, 412) if a colleague was quicker. "
            "What is recalled or expired stays so: 409."
        ),
        "parameters": [_KEY_PARAMETER, _MATCH_PARAMETER],
        "requestBody": _body("Change", change),
        "responses": {
            "200": _response("It is changed.", "Published", changed, "ETag", "Idempotency-Key"),
            **_problems(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 500, 503),
        },
    }


def _recall() -> dict[str, Any]:
    recalled = {**_PUBLISHED, **_REVISED, "status": "recalled", "reason": "Nhầm địa danh"}
    return {
        "operationId": "recall",
        "tags": ["announcements"],
        "summary": "Take an announcement back everywhere",
        "description": (
            "Open pages stop showing it as fast as they would show a new one; a browser that was offline never shows "
            "it again. One that is recalled already stays as it is: 200, `replayed` true. One that has expired: 409."
        ),
        "parameters": [_KEY_PARAMETER, _MATCH_PARAMETER],
        "requestBody": {**_body("Recall", {"reason": "Nhầm địa danh"}), "required": False},
        "responses": {
            "200": _response("It is recalled.", "Published", recalled, "ETag", "Idempotency-Key"),
            **_problems(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 500, 503),
        },
    }


_ID_SCHEMA = {"type": "string", "pattern": f"^{ID.pattern}$"}
_ID_PARAMETER = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The announcement's id.",
    "schema": _ID_SCHEMA,
    "example": _ID,
}
_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": f"^{KEY.pattern}$"}
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Any text of your own choice that is new for each act; one is made and named in the answer if you send none."
    ),
    "schema": _KEY_SCHEMA,
}
_MATCH_PARAMETER = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the revision you have seen.",
    "schema": {"type": "string"},
    "example": '"1"',
}


def _schemas(settings: NotificationsSettings) -> dict[str, Any]:
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
    announcement = {
        "id": {"type": "string", "description": "Sorts by time."},
        "revision": {"type": "integer", "minimum": 1, "description": "One more with every change."},
        "status": {"enum": [*STATUSES]},
        "sites": sites,
        "severity": severity,
        "title": title,
        "body": body,
        "url": url,
        "published_at": moment,
        "updated_at": moment,
        "expires_at": moment,
        "again": {
            "type": "integer",
            "description": "The newest revision shown also to those who dismissed an earlier one.",
        },
        "reason": {"type": "string", "maxLength": MAX_REASON, "description": "Why it was recalled."},
        "version": {"type": "integer", "description": "Which change of the log this revision is."},
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
    draft = {
        "sites": sites,
        "severity": severity,
        "title": title,
        "body": {**body, "default": ""},
        "url": {**url, "default": ""},
        "expires_in": {**expires_in, "default": settings.default_expiry_seconds},
    }
    change = {
        "severity": severity,
        "title": title,
        "body": body,
        "url": url,
        "expires_in": expires_in,
        "show_again": {
            "type": "boolean",
            "default": False,
            "description": "Show it again to those who dismissed an earlier revision.",
        },
        "revision": revision,
    }
    recall = {
        "reason": {"type": "string", "maxLength": MAX_REASON, "default": "", "description": "Why; for editors only."},
        "revision": revision,
    }
    listed = {
        "announcements": {"type": "array", "items": {"$ref": "#/components/schemas/Announcement"}},
        "before": {"type": "string", "description": "Give this as `before` for the next ones; empty at the end."},
    }
    return {
        "Draft": {**_object(draft, ["sites", "severity", "title"]), "additionalProperties": False},
        "Change": {**_object(change, []), "additionalProperties": False, "minProperties": 1},
        "Recall": {**_object(recall, []), "additionalProperties": False},
        "Announcement": _object(announcement),
        "Published": _object({**announcement, **outcome}),
        "Listed": _object(listed),
        "Problem": _problem_schema(),
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    wrong = _object({"field": text, "pointer": {**text, "description": "JSON pointer into the body."}, "detail": text})
    members = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "errors": {"type": "array", "items": wrong},
        "state": {"enum": [*STATUSES], "description": "409: the state that does not allow it."},
        "revision": {"type": "integer", "description": "409, 412: the revision it is at."},
        "outcome": {"enum": ["not_sent", "unknown"], "description": "503: whether it may have been carried out."},
        "idempotency_key": {"type": "string", "description": "503: repeat the request with this key."},
    }
    return _object(members, ["type", "title", "status"])


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties] if required is None else required}


def _body(schema: str, example: object) -> dict[str, Any]:
    description = f"At most {MAX_BODY_BYTES // 1024} KiB."
    return {"description": description, "required": True, "content": {"application/json": _typed(schema, example)}}


def _response(description: str, schema: str, example: object, *headers: str) -> dict[str, Any]:
    content = {"application/json": _typed(schema, example)}
    return {"description": description, **_with(headers), "content": content}


def _with(headers: Sequence[str]) -> dict[str, Any]:
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers}} if headers else {}


def _typed(schema: str, example: object) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}


def _open(id: str, summary: str, kind: str) -> dict[str, Any]:
    responses = {"200": {"description": summary, "content": {kind: {}}}}
    return {"operationId": id, "summary": summary, "security": [], "responses": responses}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_HEADERS = {
    "Location": {
        "description": "Where the announcement is, from the root of the service.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": f"/api/v1/announcements/{_ID}",
    },
    "ETag": {
        "description": "The revision the announcement is at, for `If-Match`.",
        "schema": {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
        "example": '"1"',
    },
    "Idempotency-Key": {
        "description": "The key this request was carried out under: yours, or the one made for it.",
        "schema": _KEY_SCHEMA,
        "example": "bai-4711",
    },
    "Retry-After": {
        "description": "In how many seconds to come again.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
}

_PROBLEM_HEADERS = {409: ("ETag",), 412: ("ETag",), 429: ("Retry-After",), 503: ("Retry-After",)}
_PROBLEMS = {
    400: "The request cannot be read: no JSON, not all of the body, or a header that is not valid.",
    401: "No token, or one that is not valid.",
    403: "The token's role does not allow this.",
    404: "There is no announcement of this id.",
    408: "The body did not come in time.",
    409: (
        "Its state does not allow this, its revision is another (which `ETag` then names), or the idempotency key "
        "belongs to another request."
    ),
    412: "The revision in If-Match is not the current one.",
    413: "The body is too long.",
    415: "The body is not sent as JSON, or with a Content-Encoding.",
    422: "Fields are wrong; `errors` names each.",
    429: "Too fast; `Retry-After` says when to come again.",
    500: "The server failed. It may have been carried out: repeat it with the same `Idempotency-Key`.",
    503: (
        "The store does not answer, or another release of Loa wrote the announcement; `outcome` says whether an act "
        "may have been carried out."
    ),
}


def _problems(*statuses: int) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {
            "description": _PROBLEMS[status],
            **_with(_PROBLEM_HEADERS.get(status, ())),
            "content": problem,
        }
        for status in statuses
    }
