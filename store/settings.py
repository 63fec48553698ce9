"""The section ``[redis]``: where the store is and how long to wait for it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from store.urls import SCHEMES, address, check_url


class RedisSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where the store is and how long to wait for it.

    Attributes:
        url: Address of a Redis 6.2 or a Valkey 7.2, or later: ``redis://``, ``rediss://`` (TLS) or ``unix://``.
            Empty: Loa starts a Valkey of its own in the data directory.
        username: ACL user; empty: the server's default user.
        password: Password of that user; better given as LOA_REDIS_PASSWORD than written in a file.
        sentinels: Addresses of Sentinels; the host in url is then the name they know the primary by.
        sentinel_username: ACL user of the sentinels; empty: their default user.
        sentinel_password: Password of that user; better given as LOA_REDIS_SENTINEL_PASSWORD.
        prefix: First part of the name of every key, so that several installations may share one server.
        connect_seconds: How long to wait for a connection.
        command_seconds: How long to wait for the answer to a command.
        ready_seconds: How long ``loa serve`` waits at start for a server that does not answer yet or still loads.
    """

    url: str = ""
    username: str = ""
    password: str = ""
    sentinels: list[str] = []
    sentinel_username: str = ""
    sentinel_password: str = ""
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,32}$")] = "loa"
    connect_seconds: Annotated[float, Meta(gt=0, le=60)] = 3.0
    command_seconds: Annotated[float, Meta(gt=0, le=60)] = 5.0
    ready_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0

    def __post_init__(self) -> None:
        """Refuses what no server could be reached with."""
        if not self.url:
            if self.username or self.password:
                raise ValueError("username and password need a url; the embedded store has neither")
            if self.sentinels:
                raise ValueError("sentinels need a url, whose host is the name they know the primary by")
            return
        parts = check_url(self.url, SCHEMES)
        if self.sentinels and (parts.scheme == "unix" or not parts.hostname or parts.port):
            raise ValueError("with sentinels, url is redis://NAME/0: the name they know the primary by, and no port")
        for one in self.sentinels:
            address(one)

    def elsewhere(self, url: str) -> Elsewhere | None:
        """How to reach a store of one room's own at `url`, with the same timeouts; None where that is empty."""
        if not url:
            return None
        return Elsewhere(replace(self, url="", username="", password="", sentinels=[]), url)


class Elsewhere(NamedTuple):
    """A store of one room's own, which may be a cluster: `url`, and the timeouts of `settings`."""

    settings: RedisSettings
    url: str
