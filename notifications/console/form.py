"""A form as a browser sends it, read within limits."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from aiohttp import web

MAX_BYTES = 64 * 1024
MAX_FIELDS = 1_000
# As long as the API waits for a body.
READ_SECONDS = 10.0
CONTENT_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form; one that was not sent is empty.

    Attributes:
        errors: What is wrong, by field: filled by whoever reads it, shown beside the fields by ``ui.html``.
    """

    def __init__(self, fields: list[tuple[str, str]] | None = None) -> None:
        self._fields = fields or []
        self.errors: dict[str, str] = {}

    def get(self, name: str) -> str:
        """The first value of a field, its line breaks as ``\\n``."""
        return next((value.replace("\r\n", "\n") for key, value in self._fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a field, as of several boxes with one name."""
        return [value for key, value in self._fields if key == name]

    def has(self, name: str) -> bool:
        """Whether a field was sent, as of a box that is ticked."""
        return any(key == name for key, _ in self._fields)

    def names(self) -> list[str]:
        """The names of all fields that were sent, each once."""
        return [*dict.fromkeys(key for key, _ in self._fields)]


async def read(request: web.Request) -> Form:
    """The form that `request` brings.

    Raises:
        HTTPUnsupportedMediaType: It brings something else.
        HTTPRequestEntityTooLarge: It is longer, or has more fields, than any form here.
        HTTPBadRequest: It is no UTF-8.
        HTTPRequestTimeout: It does not come.
    """
    if request.content_type != CONTENT_TYPE:
        raise web.HTTPUnsupportedMediaType
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise web.HTTPRequestEntityTooLarge(max_size=MAX_BYTES, actual_size=len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The form did not come in time.") from None
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict", encoding="utf-8"
        )
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="The form is not UTF-8.") from None
    except ValueError:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_BYTES, actual_size=len(body)) from None
    return Form(fields)
