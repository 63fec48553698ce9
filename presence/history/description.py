"""The API of history described for programs, as path items of an OpenAPI 3.1 document; tests hold it to the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from presence.description_embedding import PROBLEM, SITE_PARAMETER

STATS = "/api/v1/sites/{site}/stats"
HISTORY = "/api/v1/sites/{site}/history"
PAGES = "/api/v1/sites/{site}/pages"

_NO_SITE = {"description": "There is no such site.", "content": PROBLEM}
_COUNT = {"type": ["integer", "null"], "minimum": 0}
_WHEN = {"type": ["string", "null"], "format": "date-time"}
_DATE = {"type": ["string", "null"], "format": "date"}
_COUNTED = {
    "type": "object",
    "required": ["visits", "views"],
    "properties": {"visits": _COUNT, "views": _COUNT},
}
_RECORD = {
    "type": ["object", "null"],
    "required": ["online", "at"],
    "properties": {
        "online": {"type": "integer", "minimum": 0},
        "at": {"type": "string", "format": "date-time"},
    },
}
_STATS = {
    "site": {"type": "string"},
    "timezone": {"type": "string"},
    "date": _DATE,
    "online": _COUNT,
    "as_of": _WHEN,
    "stale": {"type": "boolean"},
    **dict.fromkeys(("today", "yesterday", "week", "month", "total"), _COUNTED),
    "record": _RECORD,
    "since": _DATE,
}

_HISTORY = {
    "site": {"type": "string"},
    "timezone": {"type": "string"},
    "resolution": {"type": "string", "enum": ["minute", "hour"]},
    "from": {"type": "string", "format": "date-time"},
    "to": {"type": "string", "format": "date-time"},
    "points": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["at", "peak", "mean"],
            "properties": {
                "at": {"type": "string", "format": "date-time"},
                "peak": _COUNT,
                "mean": {"type": ["number", "null"], "minimum": 0},
            },
        },
    },
}
_PAGES = {
    "site": {"type": "string"},
    "as_of": {"type": "string", "format": "date-time"},
    "complete": {"type": "boolean"},
    "pages": {
        "type": "array",
        "maxItems": 50,
        "items": {
            "type": "object",
            "required": ["path", "readers", "before", "change"],
            "properties": {
                "path": {"type": "string"},
                "readers": {"type": "integer", "minimum": 1},
                "before": _COUNT,
                "change": {"type": ["integer", "null"]},
            },
        },
    },
}
_TIME = "RFC 3339, or a date: its midnight at the site."
_AWAY = {"description": "The store does not answer.", "content": PROBLEM}


def _query(name: str, text: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema}


DESCRIBED: Mapping[str, Any] = {
    STATS: {
        "get": {
            "tags": ["presence"],
            "operationId": "readStats",
            "summary": "Visits and page views of a site: today, yesterday, this week, this month, ever; and the record",
            "description": "A visit is a reader on one day of the site, counted with a standard error of 0.81 %; "
            "page views are exact. A week begins on Monday; its visits are the sum of its days'. "
            "Needs no token. Pages of the site's own origins may read it.",
            "security": [],
            "parameters": [SITE_PARAMETER],
            "responses": {
                "200": {
                    "description": "The numbers; null where they are not known.",
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "required": [*_STATS], "properties": _STATS},
                            "example": {
                                "site": "demo",
                                "timezone": "Asia/Ho_Chi_Minh",
                                "date": "2026-11-26",
                                "online": 5716,
                                "as_of": "2026-11-26T04:25:15.900Z",
                                "stale": False,
                                "today": {"visits": 48210, "views": 160311},
                                "yesterday": {"visits": 91022, "views": 300518},
                                "week": {"visits": 310774, "views": 1020433},
                                "month": {"visits": 2310077, "views": 7702519},
                                "total": {"visits": 90233518, "views": 310772042},
                                "record": {"online": 9000, "at": "2026-11-20T02:11:00.000Z"},
                                "since": "2026-03-02",
                            },
                        }
                    },
                },
                "404": _NO_SITE,
            },
        }
    },
    HISTORY: {
        "get": {
            "tags": ["presence"],
            "operationId": "readHistory",
            "summary": "Readers by minute, for 14 days, or by hour, for two years",
            "description": "Each with its peak and its mean. What was not measured is a gap: null, in CSV empty. "
            "Needs no token. Pages of the site's own origins may read it.",
            "security": [],
            "parameters": [
                SITE_PARAMETER,
                _query("resolution", "`minute` or `hour`.", {"type": "string", "enum": ["minute", "hour"]}),
                _query("from", _TIME + " Without it: a day of minutes, 30 days of hours.", {"type": "string"}),
                _query("to", _TIME + " Not included. Without it: now.", {"type": "string"}),
                _query("format", "`json` or `csv`.", {"type": "string", "enum": ["json", "csv"]}),
            ],
            "responses": {
                "200": {
                    "description": "Every minute or hour of the time asked for, as far as it is kept and over.",
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "required": [*_HISTORY], "properties": _HISTORY},
                            "example": {
                                "site": "demo",
                                "timezone": "Asia/Ho_Chi_Minh",
                                "resolution": "minute",
                                "from": "2026-11-26T04:25:00Z",
                                "to": "2026-11-26T04:27:00Z",
                                "points": [
                                    {"at": "2026-11-26T04:25:00Z", "peak": 5716, "mean": 5702.35},
                                    {"at": "2026-11-26T04:26:00Z", "peak": None, "mean": None},
                                ],
                            },
                        },
                        "text/csv": {
                            "schema": {"type": "string"},
                            "example": "at,peak,mean\r\n2026-11-26T04:25:00Z,5716,5702.35\r\n",
                        },
                    },
                },
                "400": {"description": "A parameter is wrong; the document names it.", "content": PROBLEM},
                "404": _NO_SITE,
                "503": _AWAY,
            },
        }
    },
    PAGES: {
        "get": {
            "tags": ["presence"],
            "operationId": "readTopPages",
            "summary": "The 50 pages that most readers are on now, and how many were ten minutes ago",
            "description": "For editors. Each reader is counted once over all workers. `complete` says that "
            "no page with more readers is missing.",
            "parameters": [SITE_PARAMETER],
            "responses": {
                "200": {
                    "description": "The pages, most readers first.",
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "required": [*_PAGES], "properties": _PAGES},
                            "example": {
                                "site": "demo",
                                "as_of": "2026-11-26T04:25:15.900Z",
                                "complete": True,
                                "pages": [{"path": "/tin/mua-lon", "readers": 312, "before": 80, "change": 232}],
                            },
                        }
                    },
                },
                "401": {"description": "No valid token.", "content": PROBLEM},
                "403": {"description": "The token's role may not read this of the site.", "content": PROBLEM},
                "404": _NO_SITE,
                "429": {"description": "Too many wrong tokens.", "content": PROBLEM},
                "503": _AWAY,
            },
        }
    },
}
