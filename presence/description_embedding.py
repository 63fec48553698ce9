"""What portals embed, described for programs: the script, the pictures, the page for a frame; path items of an OpenAPI
3.1 document. The tests hold them to the routes and to what is taken and refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from presence.badge_query import COLOUR_CHARACTERS, STYLES, TEXT_CHARACTERS, WORDS
from presence.scope_query import SCOPES

DRAWING_PATH = "/badge/{site}.svg"
PICTURE_PATH = "/badge/{site}.png"
EMBED_PATH = "/embed/{site}"
WIDGET_PATH = "/widget.js"

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
SITE_PARAMETER = {
    "name": "site",
    "in": "path",
    "required": True,
    "description": "Id of the site.",
    "schema": {"type": "string"},
}


def query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A parameter of a query, a string."""
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string", **schema}}


def refused(status: str, description: str) -> dict[str, Any]:
    """An answer that is a problem document."""
    return {status: {"description": description, "content": PROBLEM}}


_LANGUAGE = query("lang", "Of the words, and how the number is written; the site's if not given.", enum=[*WORDS])
_PLACE = [
    query("section", "Name of the section; needed with `scope=section`.", maxLength=64),
    query("path", "Path of the page; needed with `scope=page`.", maxLength=512),
]
_SCOPE = [query("scope", "Whose readers are shown.", enum=[*SCOPES], default="site"), *_PLACE]
_STATES = [*SCOPES, "reading", "idle", "background"]
_LOOKS = [
    query("style", "The build of the badge.", enum=[*STYLES], default="flat"),
    query(
        "text", "Its words, with one `#` for the number; else those of language and scope.", maxLength=TEXT_CHARACTERS
    ),
    query("color", "Of the number: `0a7`, `00aa77`, `00aa77cc`, a CSS name.", maxLength=COLOUR_CHARACTERS),
    query("background", "Behind the number; also `transparent`.", maxLength=COLOUR_CHARACTERS),
]
_SCALE = query("scale", "Pixels of the picture to one of the page.", enum=["1", "2", "3"], default="2")

_WRONG = refused("400", "A parameter is wrong; `errors` names it. Those that are not described are passed over.")
_NOWHERE = refused("404", "There is no such site.")


def _badge(id: str, kind: str, *further: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "get": {
            "tags": ["embedding"],
            "operationId": id,
            "summary": f"The number as a picture, {kind}",
            "description": "For `<noscript>` and mails. It is at most five seconds old; it counts nobody.",
            "security": [],
            "parameters": [SITE_PARAMETER, _LANGUAGE, *_SCOPE, *_LOOKS, *further],
            "responses": {
                "200": {
                    "description": "The badge; a number that is not known is a dash.",
                    "content": {kind: {"schema": {"type": "string"}}},
                },
                "304": {"description": "It is the one that `If-None-Match` names."},
                **_WRONG,
                **_NOWHERE,
                **more,
            },
        }
    }


DESCRIBED: Mapping[str, Any] = {
    DRAWING_PATH: _badge("drawBadge", "image/svg+xml"),
    PICTURE_PATH: _badge(
        "paintBadge", "image/png", _SCALE, **refused("503", "Too many pictures are being made; come again in a second.")
    ),
    EMBED_PATH: {
        "get": {
            "tags": ["embedding"],
            "operationId": "embed",
            "summary": "The counter, or the block of figures, as a page for a frame",
            "description": "Pages of the site's own origins may frame it. Whoever reads such a page is a reader.",
            "security": [],
            "parameters": [
                SITE_PARAMETER,
                _LANGUAGE,
                query("block", "What is shown.", enum=["counter", "stats"], default="counter"),
                query("metric", "What the block of figures counts.", enum=["visits", "views"], default="visits"),
                query("scope", "Whose readers a counter shows.", enum=_STATES, default="site"),
                *_PLACE,
                query("theme", "For a light or dark page.", enum=["auto", "light", "dark"], default="auto"),
            ],
            "responses": {
                "200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}},
                **_WRONG,
                **_NOWHERE,
            },
        }
    },
    WIDGET_PATH: {
        "get": {
            "tags": ["embedding"],
            "operationId": "widget",
            "summary": "The script that portals embed",
            "description": 'One file: `<script src="…/widget.js" data-site="demo" async></script>`.',
            "security": [],
            "responses": {
                "200": {"description": "The script.", "content": {"text/javascript": {"schema": {"type": "string"}}}},
                "304": {"description": "It is the one that `If-None-Match` names."},
            },
        }
    },
}
