"""The description of what this part answers, for ``/api/openapi.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifications.announcement import STATUSES
from notifications.cap.api import PATH, TYPES
from notifications.cap.feeds import FEED_PATH, MESSAGE_PATH
from notifications.cap.markup import MAX_BYTES
from notifications.cap.writing import ATOM_TYPE, CAP_TYPE
from notifications.reading import ID

OUTCOMES = ("created", "updated", "recalled", "discarded", "waiting", "ignored")

_SITE = {
    "name": "site",
    "in": "path",
    "required": True,
    "description": "Id of the site.",
    "schema": {"type": "string"},
}
_TESTS = {
    "name": "tests",
    "in": "query",
    "description": "`1`: tests as well, with the status Test.",
    "schema": {"enum": ["1"]},
}
_TEXT = {"type": "string"}
_ANSWER = {
    "type": "object",
    "properties": {
        "outcome": {"enum": [*OUTCOMES], "description": "What was done."},
        "reason": {**_TEXT, "description": "Why that, where it is not what the message asks for."},
        "identity": {**_TEXT, "description": "What names the message: sender, identifier and time."},
        "id": {**_TEXT, "description": "Of the announcement; empty if there is none."},
        "revision": {"type": "integer", "minimum": 0},
        "status": {"enum": [*STATUSES]},
        "durability": {"enum": ["disk", "memory"]},
        "sessions": {"type": "integer", "minimum": 0, "description": "How many open pages of this node it went to."},
        "replayed": {"type": "boolean", "description": "The message had come before; nothing was done now."},
        "notes": {"type": "array", "items": _TEXT, "description": "What of the message is not in the announcement."},
    },
}
_ANSWER["required"] = [*_ANSWER["properties"]]
_EXAMPLE = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>VN-2026-1123-07</identifier>
  <sender>canhbao@kttv.example.vn</sender>
  <sent>2026-11-23T11:25:16+07:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>vi-VN</language>
    <category>Met</category>
    <event>Lũ</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Observed</certainty>
    <headline>Lũ trên sông Mã lên nhanh</headline>
  </info>
</alert>
"""
_PROBLEMS = {
    400: (
        "It is not well-formed, has a DTD, breaks a rule of CAP 1.2, or refers to nothing that is known here: `errors` "
        "has the `line` and the element of each fault. Nothing was stored."
    ),
    401: "No token, or one that is not valid.",
    403: "The token has not the right to write and to send on this site.",
    404: "There is no such site.",
    408: "The body did not come in time.",
    409: (
        "Another message has the same sender, identifier and time; or what it updates was taken back by people; or as "
        "many are active as may be."
    ),
    413: f"The message is longer than {MAX_BYTES // 1024} KiB.",
    415: "It is not sent as XML, or with a Content-Encoding.",
    422: "Fields of the announcement it would become are wrong; `errors` names each.",
    429: "Too fast; `Retry-After` says when to come again.",
    500: "The server failed. It may have been carried out: send it again.",
    503: "The store does not answer. Send it again: a message is carried out once.",
}
_FEED_ANSWERS = {
    "304": {"description": "What you have (`If-None-Match`) is what there is."},
    "404": {"description": "There is no such site, or no such message."},
}


def _answers(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ANSWER}}}


DESCRIBED: Mapping[str, Any] = {
    PATH: {
        "post": {
            "tags": ["announcements"],
            "operationId": "takeCap",
            "summary": "Take in a message of the Common Alerting Protocol 1.2",
            "description": (
                "An Alert becomes an announcement on the site, an Update changes the one it refers to, a Cancel takes "
                "it back. A message is known by its sender, identifier and time, so one that is sent again is carried "
                "out once, and the first answer is given again with `replayed` true."
            ),
            "parameters": [_SITE],
            "requestBody": {
                "description": f"At most {MAX_BYTES // 1024} KiB, without a DTD.",
                "required": True,
                "content": {kind: {"schema": _TEXT, "example": _EXAMPLE} for kind in TYPES},
            },
            "responses": {
                "200": _answers("It is updated, recalled or discarded."),
                "201": _answers("It is a new announcement: live, scheduled or, for a Draft, a draft."),
                "202": _answers("It waits for approval, or was ignored; `reason` says why."),
                **{
                    str(status): {
                        "description": description,
                        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                    }
                    for status, description in _PROBLEMS.items()
                },
            },
        }
    },
    FEED_PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "readCapFeed",
            "summary": "What the readers of a site are told now, as an Atom feed of CAP 1.2 messages",
            "description": "Needs no token. What was recalled is a Cancel until it would have expired.",
            "security": [],
            "parameters": [_SITE, _TESTS],
            "responses": {
                "200": {
                    "description": "An entry for each message, the newest first; its link of the type "
                    f"`{CAP_TYPE}` leads to the message.",
                    "content": {ATOM_TYPE: {"schema": _TEXT}},
                },
                **_FEED_ANSWERS,
            },
        }
    },
    MESSAGE_PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "readCapMessage",
            "summary": "The newest message of an announcement",
            "security": [],
            "parameters": [
                _SITE,
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "description": "Id of the announcement.",
                    "schema": {"type": "string", "pattern": f"^{ID.pattern}$"},
                },
                _TESTS,
            ],
            "responses": {
                "200": {"description": "A CAP 1.2 message.", "content": {CAP_TYPE: {"schema": _TEXT}}},
                **_FEED_ANSWERS,
            },
        }
    },
}
