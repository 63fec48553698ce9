"""What the calls of this room answer with: JSON that nobody keeps, and how an act went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from notifications.announcement import TOLD, Announcement, ForEditors, for_editors
from notifications.durability import Durability
from notifications.log import Publication

JSON = "application/json"


class Published(ForEditors, frozen=True, kw_only=True):
    """The answer to an act: the announcement, and how it went.

    Attributes:
        durability: `disk`, or `memory` where the store cannot say.
        sessions: How many open connections of this node it was written to.
        replayed: This request had been carried out before; nothing was done now.
    """

    durability: Durability
    sessions: int
    replayed: bool


async def published(publication: Publication, delivered: Callable[[Announcement], Awaitable[int]]) -> Published:
    """What is answered to an act.

    Args:
        publication: What came of it.
        delivered: How many sessions of this node a revision was written to.
    """
    one = publication.announcement
    return Published(
        **msgspec.structs.asdict(for_editors(one, publication.status)),
        durability=publication.durability,
        # What is no business of browsers went to none.
        sessions=await delivered(one) if one.status in TOLD else 0,
        replayed=publication.replayed,
    )


def answer(body: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """`body` as JSON, of this moment only."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type=JSON,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
