"""The API explained to people: a page made from its description, without a script and with nothing from elsewhere."""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec
from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup, escape

from notifications.openapi import PATH, STYLESHEET_PATH

# The page loads one stylesheet from here and nothing else from anywhere.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page(description: dict[str, Any]) -> str:
    """`description`, an OpenAPI document, as HTML."""
    environment = Environment(
        loader=PackageLoader("notifications"), autoescape=True, undefined=ChainableUndefined, trim_blocks=True
    )
    environment.filters["example"] = _indented
    environment.filters["prose"] = _prose
    environment.filters["schema"] = lambda reference: reference["$ref"].rpartition("/")[2]
    return environment.get_template("api.html").render(api=description, stylesheet=STYLESHEET_PATH, source=PATH)


def stylesheet() -> str:
    """What the page looks like."""
    return resources.files("notifications").joinpath("static", "api.css").read_text("utf-8")


def _prose(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    )


def _indented(example: object) -> str:
    if isinstance(example, str):
        return example
    return msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
