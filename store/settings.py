"""The section ``[redis]``: where the store is and how long to wait for it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

SCHEMES = ("redis", "rediss", "unix")


class RedisSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where the store is and how long to wait for it.

    Attributes:
        url: Address of a Redis 6.2 or a Valkey 7.2, or later: ``redis://``, ``rediss://`` (TLS) or ``unix://``.
            Empty: Loa starts a Valkey of its own in the data directory.
        username: ACL user; empty: the server's default user.
        password: Password of that user; better given as LOA_REDIS_PASSWORD than written in a file.
        prefix: First part of the name of every key, so that several installations may share one server.
        connect_seconds: How long to wait for a connection.
        command_seconds: How long to wait for the answer to a command.
        ready_seconds: How long ``loa serve`` waits at start for a server that does not answer yet or still loads.
    """

    url: str = ""
    username: str = ""
    password: str = ""
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,32}$")] = "loa"
    connect_seconds: Annotated[float, Meta(gt=0, le=60)] = 3.0
    command_seconds: Annotated[float, Meta(gt=0, le=60)] = 5.0
    ready_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0

    def __post_init__(self) -> None:
        """Refuses what no server could be reached with."""
        if not self.url:
            if self.username or self.password:
                raise ValueError("username and password need a url; the embedded store has neither")
            return
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        if parts.scheme not in SCHEMES:
            raise ValueError("url must begin with redis://, rediss:// or unix://")
        if parts.scheme == "unix" and not parts.path:
            raise ValueError("url: unix:// needs the path of a socket")
