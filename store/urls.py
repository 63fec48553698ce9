"""What may stand where the address of a store is asked for. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SCHEMES = ("redis", "rediss", "unix")
# Of what can be spread over the nodes of a Redis Cluster; the address is that of any of them.
CLUSTER_SCHEMES = ("redis+cluster", "rediss+cluster")
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

Address = tuple[str, int]
SENTINEL_PORT = 26379


def check_url(url: str, schemes: Sequence[str]) -> SplitResult:
    """Refuses an address that no server could be reached at; its parts.

    Raises:
        ValueError: What is wrong; nothing of the address is in the text, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(_NO_ADDRESS) from None
    if parts.scheme not in schemes:
        raise ValueError(f"url must begin with {', '.join(f'{one}://' for one in schemes[:-1])} or {schemes[-1]}://")
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("url: unix:// needs the path of a socket")
    if not _whole(parts):
        raise ValueError(_NO_ADDRESS)
    _check_options(parts)
    if parts.scheme in CLUSTER_SCHEMES and (parts.path not in {"", "/", "/0"} or "db=" in parts.query):
        raise ValueError("url: a cluster has no databases but 0")
    return parts


def _whole(parts: SplitResult) -> bool:
    """Whether nothing stands where it would be passed over, as the rest of a password after its # or / does."""
    path_is_read = parts.scheme == "unix" or re.fullmatch(r"(/\d*)?", parts.path, re.ASCII) is not None
    return path_is_read and not parts.fragment and unquote(f"{parts.hostname}{parts.path}").isprintable()


def _check_options(parts: SplitResult) -> None:
    options = parse_qsl(parts.query, keep_blank_values=True)
    allowed = (*OPTIONS, *TLS_OPTIONS) if parts.scheme.startswith("rediss") else OPTIONS
    if any(name not in allowed for name, _ in options):
        # Unnamed: it may be the rest of a password after its ?.
        raise ValueError(f"url: after its ? there may be {', '.join(allowed)}; write a ? in a password as %3F")
    if any(name == "db" and re.fullmatch(r"\d+", value, re.ASCII) is None for name, value in options):
        raise ValueError("url: db is the number of a database")


def address(text: str) -> Address:
    """The address of a sentinel, ``host:port``, ``host`` or ``[::1]:port``, as a pair.

    Raises:
        ValueError: It is none of these.
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(SENTINEL_PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not an address such as 10.0.0.5:26379")
    return host, int(port)
