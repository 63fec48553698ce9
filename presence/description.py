"""The number's API described for programs, as path items of an OpenAPI 3.1 document; a test holds it to the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from presence import description_embedding
from presence.bounds import Bounds
from presence.description_embedding import SITE_PARAMETER, query, refused
from presence.history import description as history

PATH = "/api/v1/sites/{site}/presence"

_SECONDS = {"type": "number", "minimum": 0}
_READERS = {"type": "integer", "minimum": 0}
_COUNT = {"type": ["integer", "null"], "minimum": 0}
DESCRIBED: Mapping[str, Any] = {
    PATH: {
        "get": {
            "tags": ["presence"],
            "operationId": "readPresence",
            "summary": "How many readers a site has now",
            "description": "Needs no token. Pages of the site's own origins may read it.",
            "security": [],
            "parameters": [
                SITE_PARAMETER,
                query("section", "Name of a section whose readers are wanted, too.", maxLength=64),
                query("path", "Path of a page whose readers are wanted, too.", maxLength=512),
            ],
            "responses": {
                "200": {
                    "description": "The number, when it was true, and how late it may be.",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": [
                                    "site",
                                    "online",
                                    "as_of",
                                    "stale",
                                    "states",
                                    "raw",
                                    "apart",
                                    "freshness_seconds",
                                    "bounds",
                                ],
                                "properties": {
                                    "site": {"type": "string"},
                                    "online": _COUNT,
                                    "as_of": {"type": ["string", "null"], "format": "date-time"},
                                    "stale": {"type": "boolean"},
                                    "states": {
                                        "type": ["object", "null"],
                                        "required": ["reading", "idle", "background"],
                                        "properties": dict.fromkeys(("reading", "idle", "background"), _READERS),
                                    },
                                    "small": {
                                        "type": "integer",
                                        "minimum": 1,
                                        "description": "Numbers below this are to be shown as fewer than it.",
                                    },
                                    "raw": {
                                        **_COUNT,
                                        "description": "Readers, and all open connections that are none.",
                                    },
                                    "apart": {
                                        "type": "object",
                                        "description": "The latter by why: programs, pages never looked at, pages "
                                        "rendered ahead, and who has not answered yet.",
                                        "required": ["robots", "hidden", "prerendered", "unanswered"],
                                        "properties": dict.fromkeys(
                                            ("robots", "hidden", "prerendered", "unanswered"), _READERS
                                        ),
                                    },
                                    "section": {
                                        "type": "object",
                                        "required": ["section", "online"],
                                        "properties": {"section": {"type": "string"}, "online": _COUNT},
                                    },
                                    "page": {
                                        "type": "object",
                                        "required": ["path", "online"],
                                        "properties": {"path": {"type": "string"}, "online": _COUNT},
                                    },
                                    "freshness_seconds": _SECONDS,
                                    "bounds": {
                                        "type": "object",
                                        "required": [*Bounds.__struct_fields__],
                                        "properties": dict.fromkeys(Bounds.__struct_fields__, _SECONDS),
                                    },
                                },
                            },
                            "example": {
                                "site": "demo",
                                "online": 5716,
                                "as_of": "2026-11-23T04:25:15.900Z",
                                "stale": False,
                                "states": {"reading": 3120, "idle": 410, "background": 2186},
                                "freshness_seconds": 59.2,
                                "bounds": {
                                    "join_seconds": 4.2,
                                    "leave_seconds": 19.2,
                                    "vanish_seconds": 59.2,
                                    "lost_worker_seconds": 34.1,
                                    "move_seconds": 20.2,
                                    "turn_seconds": 31.2,
                                },
                            },
                        }
                    },
                },
                **refused("400", "The section or path is not of the form that is kept."),
                **refused("404", "There is no such site."),
            },
        }
    },
    **history.DESCRIBED,
    **description_embedding.DESCRIBED,
}
