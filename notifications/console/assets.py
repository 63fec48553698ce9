"""The console's style and scripts: whatever lies in ``static``, each at an address that names its content."""

from __future__ import annotations

import hashlib
from importlib import resources

from aiohttp import web

from notifications.console.words import PACKAGE

PATH = "/console/static/"
_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Assets:
    """The files of this package and of `packages` that have pages of their own, read once."""

    def __init__(self, *packages: str) -> None:
        directories = [resources.files(package).joinpath("static") for package in (PACKAGE, *packages)]
        files = [file for directory in directories for file in directory.iterdir()]
        self._files = {file.name: file.read_bytes() for file in files if file.name.rpartition(".")[2] in _KINDS}
        self._versions = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._files.items()}

    def url(self, name: str) -> str:
        """Where the file `name` is; another address as soon as it is another file."""
        return f"{PATH}{name}?v={self._versions[name]}"

    def route(self) -> web.RouteDef:
        """What to add to the application."""
        return web.get(PATH + "{name}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound
        lasting = request.query.get("v") == self._versions[name]
        return web.Response(
            body=self._files[name],
            content_type=_KINDS[name.rpartition(".")[2]],
            charset="utf-8",
            headers={
                "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )
