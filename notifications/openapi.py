"""The API described for programs: an OpenAPI 3.1 document. ``explanation.py`` makes a page of it for people.

Limits come from the code that enforces them; the tests hold names and statuses against the handlers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notifications import schemas
from notifications.announcement import STATUSES
from notifications.people.cookies import SESSION
from notifications.reading import ID, MAX_BODY_BYTES, MAX_PAGE, MAX_TEXT, PAGE
from notifications.settings import NotificationsSettings
from notifications.wire import KEY, MAX_KEY

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
    "language": "vi",
    "texts": {"en": {"title": "Ma river rising fast"}},
    "expires_in": 7200,
}
_SHOWN = {
    "id": _ID,
    "revision": 1,
    "status": "live",
    **_DRAFT,
    "audience": {},
    "test": False,
    "starts_at": None,
    "published_at": "2026-11-23T04:25:16.120Z",
    "updated_at": "2026-11-23T04:25:16.120Z",
    "expires_at": "2026-11-23T06:25:16.120Z",
    "again": 1,
    "reason": "",
    "author": "4f1c09aa",
    "author_name": "CMS",
    "approvals": [],
    "late_seconds": 0.0,
    "cap": None,
    "version": 17,
}
_PUBLISHED = {**_SHOWN, "durability": "disk", "sessions": 5716, "replayed": False}
_REVISED = {"revision": 2, "version": 18, "updated_at": "2026-11-23T04:31:02.004Z"}


_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token: `loa token create`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION,
        "description": (
            "Of who is signed in at `/console/`. What changes something is taken from pages of the service alone, "
            "by `Sec-Fetch-Site` and `Origin`; from any other it is refused with 403."
        ),
    },
}


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
        "security": [{"token": []}, {"session": []}],
        "tags": [
            {"name": "announcements", "description": "What readers are told."},
            {"name": "webhooks", "description": "Telling other systems, and being told by a CMS."},
            {"name": "presence", "description": "How many readers there are."},
            {"name": "embedding", "description": "What portals put into their pages."},
        ],
        "paths": _behind_the_gate(
            {
                "/api/v1/announcements": {"post": _publish(), "get": _list()},
                "/api/v1/announcements/{id}": {"parameters": [_ID_PARAMETER], "get": _show(), "patch": _update()},
                **{
                    f"/api/v1/announcements/{{id}}/{name}": {"parameters": [_ID_PARAMETER], "post": call}
                    for name, call in _acts().items()
                },
                **(further or {}),
                PATH: {"get": _open("describe", "This description", "application/json")},
                PAGE_PATH: {"get": _open("explain", "This description as a page", "text/html")},
                STYLESHEET_PATH: {"get": _open("style", "The stylesheet of that page", "text/css")},
            }
        ),
        "components": {
            "securitySchemes": _SCHEMES,
            "schemas": schemas.schemas(settings),
            "headers": _HEADERS,
        },
    }


def _behind_the_gate(paths: dict[str, Any]) -> dict[str, Any]:
    """The same with what the gate may answer to every call, whatever the room behind it would."""
    return {
        path: {
            method: {**call, "responses": {**call["responses"], **_problems(431)}} if "responses" in call else call
            for method, call in item.items()
        }
        for path, item in paths.items()
    }


def _publish() -> dict[str, Any]:
    return {
        "operationId": "publish",
        "tags": ["announcements"],
        "summary": "Send an announcement",
        "description": (
            "Every page that is open on one of the sites shows it within a second; pages opened later, while it has "
            "not expired. With another `status` it is written as a draft, submitted for approval, or scheduled. "
            "Send an `Idempotency-Key` and repeat the request with the same one whenever no answer came: "
            "it is carried out once, and the first answer is given again with `replayed` true. A 401 or 429 on a "
            "repeated request says nothing of the first."
        ),
        "parameters": [_KEY_PARAMETER],
        "requestBody": _body("Draft", _DRAFT),
        "responses": {
            "201": {
                **_response("It is published.", "Published", _PUBLISHED, "Location", "ETag", "Idempotency-Key"),
                "links": {name: _link(name) for name in ("show", "update", *_acts())},
            },
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
            _query("text", {"type": "string", "maxLength": MAX_TEXT}, "Only those that say this, accents or not."),
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
        "summary": "Correct what is live in place, or change what is not",
        "description": (
            "Members that are left out stay as they are. What is not live becomes a draft again that nobody has "
            "approved of; of what is live, the sites, the start and whether it is a test stay. "
            "Name the `revision` you have seen, or send its ETag in "
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


def _acts() -> dict[str, dict[str, Any]]:
    """The acts on one announcement, by the last step of their paths."""
    quiet = {**_PUBLISHED, "revision": 2, "version": 0, "published_at": None, "expires_at": None, "sessions": 0}
    waiting = {**quiet, "status": "waiting"}
    returned = {**quiet, "status": "returned", "reason": "Địa danh nào?"}
    scheduled = {**quiet, "status": "scheduled", "starts_at": "2026-11-24T01:00:00.000Z"}
    recalled = {**_PUBLISHED, **_REVISED, "status": "recalled", "reason": "Nhầm địa danh"}
    return {
        "submit": _act(
            "submit",
            "Ask others to approve of it",
            "Earlier approvals are void; those who may approve see it waiting.",
            waiting,
        ),
        "approve": _act(
            "approve",
            "Approve of it as it stands",
            "Takes the right to approve on each of its sites, and is not for whoever wrote it: 403, and written down. "
            "The last approval that is needed makes it `approved`: it can be sent or scheduled then.",
            {**quiet, "status": "approved"},
        ),
        "return": _act(
            "return", "Give it back to be changed", "", returned, body={"reason": "Địa danh nào?"}, schema="Reason"
        ),
        "reject": _act(
            "reject",
            "Refuse it for good",
            "",
            {**returned, "status": "rejected"},
            body={"reason": "Đã đăng rồi"},
            schema="Reason",
        ),
        "schedule": _act(
            "schedule",
            "Have it go live by itself",
            "To the second, whichever workers live or die. What was missed goes out late if its end has not passed, "
            "and says so in `late_seconds`; else it becomes `missed`. A time without an offset is meant by the clock "
            "of the sites.",
            scheduled,
            body={"starts_at": "2026-11-24T08:00:00+07:00"},
            schema="Schedule",
        ),
        "unschedule": _act(
            "unschedule", "Take it off the schedule", "What was approved stays so.", waiting | {"status": "draft"}
        ),
        "send": _act("send", "Send it now", "As `POST /api/v1/announcements` does.", {**_PUBLISHED, **_REVISED}),
        "discard": _act("discard", "Give up what was not sent", "", {**quiet, "status": "discarded"}),
        "recall": _act(
            "recall",
            "Take an announcement back everywhere",
            "Open pages stop showing it as fast as they would show a new one; a browser that was offline never shows "
            "it again. One that is recalled already stays as it is: 200, `replayed` true. One that has expired: 409.",
            recalled,
            body={"reason": "Nhầm địa danh"},
        ),
    }


def _act(
    id: str,
    summary: str,
    description: str,
    example: object,
    *,
    body: object | None = None,
    schema: str = "Recall",
) -> dict[str, Any]:
    return {
        "operationId": id,
        "tags": ["announcements"],
        "summary": summary,
        **({"description": description} if description else {}),
        "parameters": [_KEY_PARAMETER, _MATCH_PARAMETER],
        "requestBody": {**_body(schema, body or {}), "required": schema != "Recall"},
        "responses": {
            "200": _response("It is done.", "Published", example, "ETag", "Idempotency-Key"),
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


def _body(schema: str, example: object) -> dict[str, Any]:
    description = f"At most {MAX_BODY_BYTES // 1024} KiB."
    return {"description": description, "required": True, "content": {"application/json": _typed(schema, example)}}


def _response(description: str, schema: str, example: object, *headers: str) -> dict[str, Any]:
    content = {"application/json": _typed(schema, example)}
    return {"description": description, **_with(headers), "content": content}


def _link(operation: str) -> dict[str, Any]:
    """What can be done next with what the answer names."""
    return {"operationId": operation, "parameters": {"id": "$response.body#/id"}}


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
    403: "The role does not allow this, or it has to be approved of first (`needed`, `given`).",
    404: "There is no announcement of this id.",
    408: "The body did not come in time.",
    409: (
        "Its state does not allow this, its revision is another (which `ETag` then names), or the idempotency key "
        "belongs to another request."
    ),
    412: "The revision in If-Match is not the current one; `changed` says what is different by now.",
    413: "The body is too long.",
    415: "The body is not sent as JSON, or with a Content-Encoding.",
    422: "Fields are wrong; `errors` names each.",
    429: "Too fast; `Retry-After` says when to come again.",
    431: "The head of the request, its address included, is too long or has too many lines.",
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
