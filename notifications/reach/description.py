"""The API of reach described for programs, as path items of an OpenAPI 3.1 document; tests hold it to the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifications.announcement import MAX_GLOB, MAX_LANGUAGES, MAX_PATHS, MAX_SECTIONS
from notifications.reach.api import MOST, PATH, SEVERAL_PATH, STREAM_PATH
from notifications.reach.audience import PATH as AUDIENCE_PATH
from notifications.reach.audience_query import MAX_SITES
from notifications.reach.sums import ERROR, SECONDS
from notifications.reading import ID

_COUNT = {"type": "integer", "minimum": 0}
_TIME = {"type": ["integer", "null"], "minimum": 0}
_MOMENT = {"type": "string", "format": "date-time"}
_SHARE = {"type": "number", "minimum": 0}


def _told(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


REACH = _object(
    {
        "id": {"type": "string"},
        "revision": _told(
            {"type": "integer", "minimum": 1}, "The newest that was sent: `connected` to `greeted` and times are of it."
        ),
        "connected": _told(_COUNT, "Connections that were open when it was sent; the tabs of a browser may share one."),
        "received": _told(_COUNT, "Of these, such as it was written to."),
        "greeted": _told(_COUNT, "Connections that were opened later and told of it then."),
        "rendered": _told(_COUNT, "Readers that saw it on a visible page, each counted once."),
        "clicked": _told(_COUNT, "Readers that followed its link."),
        "dismissed": _told(_COUNT, "Readers that put it away."),
        "p50_ms": _told(_TIME, "Within so long half of those connected that showed it had; the way back is included."),
        "p99_ms": _told(_TIME, "Within so long 99 in 100 of them had."),
        "measured": _told(_COUNT, "How many these are."),
        "by_second": {
            "type": "array",
            "items": _COUNT,
            "minItems": SECONDS,
            "maxItems": SECONDS,
            "description": "How many of these showed it in each of the first seconds after it was sent.",
        },
        "as_of": _MOMENT,
        "error": _told(_SHARE, f"Standard error of the numbers of readers, as a share: {ERROR}."),
    }
)
AUDIENCE = _object(
    {
        "readers": _told(_COUNT, "Readers that are there now."),
        "pages": _told(_COUNT, "Pages that they are on."),
        "exact": _told({"type": "boolean"}, "False where it is an estimate."),
        "as_of": _MOMENT,
        "error": _told(_SHARE, "Standard error of an estimate from very many readers, as a share; 0 if exact."),
        "languages_not_known": _told(
            {"type": "boolean"}, "Languages were named, which only browsers know: all readers are in the number."
        ),
    }
)

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSED = {
    "401": {"description": "No token, or one that is not valid.", "content": _PROBLEM},
    "403": {"description": "The role does not allow this.", "content": _PROBLEM},
    "429": {"description": "Too fast.", "content": _PROBLEM},
    "500": {"description": "The server failed.", "content": _PROBLEM},
}
_AWAY = {"description": "The store or the workers do not answer, or too many watch.", "content": _PROBLEM}
_MISSING = {"description": "There is no announcement of this id.", "content": _PROBLEM}
_ID_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^{ID.pattern}$"}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The announcement's id.",
    "schema": _ID_SCHEMA,
}


def _several(name: str, most: int, description: str, item: dict[str, Any], required: bool = False) -> dict[str, Any]:
    schema = {"type": "array", "items": item, "minItems": int(required), "maxItems": most}
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


DESCRIBED: Mapping[str, Any] = {
    PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "readReach",
            "summary": "Whom an announcement reached",
            "description": "No reader is known: workers add up, and readers are counted by names that mean nothing.",
            "parameters": [_ID],
            "responses": {
                "200": {"description": "As it is now.", "content": {"application/json": {"schema": REACH}}},
                "404": _MISSING,
                **_REFUSED,
                "503": _AWAY,
            },
        }
    },
    STREAM_PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "watchReach",
            "summary": "The same live, as Server-Sent Events",
            "description": (
                "The `data` of each event is what the call above answers, sent at once and again within a second of a "
                "change. The stream ends after five minutes; an `EventSource` comes back by itself."
            ),
            "parameters": [_ID],
            "responses": {
                "200": {
                    "description": "Events until either side ends.",
                    # Of each event, as those who read OpenAPI take a stream of them; `data` is a Reach as JSON.
                    "content": {
                        "text/event-stream": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "event": {"type": "string"},
                                    "data": {"type": "string", "contentMediaType": "application/json"},
                                },
                                "required": ["data"],
                            }
                        }
                    },
                },
                "404": _MISSING,
                **_REFUSED,
                "503": _AWAY,
            },
        }
    },
    SEVERAL_PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "readReachOfSeveral",
            "summary": "Whom several announcements reached",
            "description": "In the order of the ids; those that are not there for whoever asks are left out.",
            "parameters": [
                _several("id", MOST, "Of an announcement; may be repeated.", _ID_SCHEMA, required=True),
            ],
            "responses": {
                "200": {
                    "description": "As it is now.",
                    "content": {"application/json": {"schema": _object({"found": {"type": "array", "items": REACH}})}},
                },
                **_REFUSED,
                "422": {"description": "The query is wrong; `errors` names what.", "content": _PROBLEM},
                "503": _AWAY,
            },
        }
    },
    AUDIENCE_PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "readAudience",
            "summary": "How many readers an audience has now",
            "description": "Over all workers. A page has to meet every condition that is given.",
            "parameters": [
                _several("site", MAX_SITES, "Ids of sites; may be repeated.", {"type": "string"}, required=True),
                _several("section", MAX_SECTIONS, "In one of these sections.", {"type": "string"}),
                _several(
                    "path",
                    MAX_PATHS,
                    "Of a path that one of these globs means: `*` is any text without a slash, `**` any text at all.",
                    {"type": "string", "maxLength": MAX_GLOB},
                ),
                _several("language", MAX_LANGUAGES, "Which only browsers know.", {"type": "string"}),
                {
                    "name": "visible",
                    "in": "query",
                    "description": "`1`: only pages that are looked at.",
                    "schema": {"enum": ["0", "1"]},
                },
            ],
            "responses": {
                "200": {"description": "As it is now.", "content": {"application/json": {"schema": AUDIENCE}}},
                **_REFUSED,
                "422": {"description": "The query is wrong; `errors` names what.", "content": _PROBLEM},
                "503": _AWAY,
            },
        }
    },
}
