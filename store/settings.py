"""The section ``[redis]``: where the store is and how long to wait for it."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec
from msgspec import Meta

SCHEMES = ("redis", "rediss", "unix")
# What may follow the ? of a url. redis-py would take more: some break what is said in `store.connection`.
OPTIONS = ("db", "password", "username")
TLS_OPTIONS = (
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_keyfile",
    "ssl_password",
)

# In words of our own: urllib repeats a part of what it cannot read, and that may be the password.
_NO_ADDRESS = "url: is not an address such as redis://host:6379/0; write # / ? @ in a password as %23 %2F %3F %40"


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
        except ValueError:
            raise ValueError(_NO_ADDRESS) from None
        if parts.scheme not in SCHEMES:
            raise ValueError("url must begin with redis://, rediss:// or unix://")
        if parts.scheme == "unix" and not parts.path:
            raise ValueError("url: unix:// needs the path of a socket")
        if not _whole(parts):
            raise ValueError(_NO_ADDRESS)
        _check_options(parts)


def _whole(parts: SplitResult) -> bool:
    """Whether nothing stands where it would be passed over, as the rest of a password after its # or / does."""
    path_is_read = parts.scheme == "unix" or re.fullmatch(r"(/\d*)?", parts.path, re.ASCII) is not None
    return path_is_read and not parts.fragment and unquote(f"{parts.hostname}{parts.path}").isprintable()


def _check_options(parts: SplitResult) -> None:
    options = parse_qsl(parts.query, keep_blank_values=True)
    allowed = (*OPTIONS, *TLS_OPTIONS) if parts.scheme == "rediss" else OPTIONS
    if any(name not in allowed for name, _ in options):
        # Unnamed: it may be the rest of a password after its ?.
        raise ValueError(f"url: after its ? there may be {', '.join(allowed)}; write a ? in a password as %3F")
    if any(name == "db" and re.fullmatch(r"\d+", value, re.ASCII) is None for name, value in options):
        raise ValueError("url: db is the number of a database")
