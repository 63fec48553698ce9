"""How the rooms' pages, pictures and texts are made from their templates, which stand in ``<room>/templates``."""

from __future__ import annotations

from typing import Any

import jinja2


def options(room: str) -> dict[str, Any]:
    """What jinja2 is told for the templates of `room`: escape everything, and fail on what is not there."""
    return {
        "loader": jinja2.PackageLoader(room),
        "autoescape": True,
        "undefined": jinja2.StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


def environment(room: str, **more: Any) -> jinja2.Environment:
    """The templates of `room`, with `more` options."""
    return jinja2.Environment(**options(room), **more)  # noqa: S701  it escapes, see `options`
