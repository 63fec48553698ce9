"""A portal that embeds the widget: a server of another origin than Loa's, whose pages a test writes."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>Trang thử</title>{head}</head>
<body>{body}</body>
</html>
"""


class Portal:
    """Pages at `http://127.0.0.1:PORT`, an origin on the list, and at `http://localhost:PORT`, which is not."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, str, Mapping[str, str]]] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Listens on a free port."""
        app = web.Application()
        app.router.add_get("/{name}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Ends it."""
        if self._runner is not None:
            await self._runner.cleanup()

    def page(self, body: str, *, head: str = "", language: str = "vi", headers: Mapping[str, str] | None = None) -> str:
        """Adds a page; its address."""
        text = _PAGE.format(language=language, head=head, body=body)
        return self.file("text/html", text, headers or {})

    def file(self, kind: str, text: str, headers: Mapping[str, str] | None = None) -> str:
        """Adds a file, such as a script of the page's own; its address."""
        name = f"file-{len(self._pages)}"
        self._pages[name] = (kind, text, headers or {})
        return f"http://127.0.0.1:{self.port}/{name}"

    async def _answer(self, request: web.Request) -> web.Response:
        if request.match_info["name"] == "favicon.ico":
            return web.Response(status=204)
        if request.match_info["name"] not in self._pages:
            raise web.HTTPNotFound
        kind, text, headers = self._pages[request.match_info["name"]]
        return web.Response(text=text, content_type=kind, charset="utf-8", headers=headers)
