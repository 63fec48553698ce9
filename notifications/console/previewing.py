"""The preview: the real banner, in a frame that is cut off from everything.

The frame holds a page of ours (``GET /console/preview``) with the widget that portals embed, unchanged. Before the
widget, a script of ours takes the place of the browser's WebSocket: what the widget hears from it is what the page
around the frame says. So what is seen is what readers will see, by the same code.

Cut off: the frame is sandboxed to scripts alone, in an origin of its own, so it has neither cookies nor storage; its
policy allows no connection, so it cannot become a reader; it obeys only the page around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from notifications.announcement import Announcement
from notifications.console import writing
from notifications.console.form import Form
from notifications.console.shell import Shell
from notifications.console.visit import Visit
from notifications.console.wording import Wording

PATH = "/console/preview"
#: What the policy of a page says that holds such a frame.
FRAMED: Mapping[str, str] = {"frame-src": "'self'"}
_POLICY = {
    "connect-src": "'none'",
    "img-src": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
    "sandbox": "allow-scripts",
}


class Preview:
    """The page in the frame."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [web.get(PATH, self._shell.signed_in(self._show))]

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        language = request.query.get("language", "vi")
        known = language.isascii() and language.isalpha() and len(language) <= 3
        dark = request.query.get("theme") == "dark"
        context = {"banner_language": language if known else "vi", "dark": dark}
        return self._shell.render(request, "preview.html", context, policy=_POLICY)


def of(one: Announcement, words: Wording) -> dict[str, Any]:
    """What the frame is to show of an announcement."""
    corrected = one.status == "live" and one.updated_ms > one.published_ms
    shown = said(writing.filled(one, words.zone(one.sites)), words, corrected=corrected)
    return {**shown, "at": one.updated_ms if corrected else one.published_ms}


def said(form: Form, words: Wording, *, corrected: bool = False) -> dict[str, Any]:
    """What the frame is to show of a form.

    Args:
        form: As it stands.
        words: Those of the page.
        corrected: Readers have seen it before, otherwise.
    """
    shown = writing.preview(form)
    sites = form.all("sites")
    for each in shown["texts"]:
        each["name"] = words.text_language(each["language"], sites)
        each["language"] = words.language_code(each["language"], sites)
    return {**shown, "corrected": corrected, "at": 0}
