"""A request to follow over ordinary HTTP, ``GET /events`` or ``GET /poll``, without I/O.

Bytes go in, a :class:`Following` or a :class:`~gateway.errors.Refusal` comes out. The query is that of ``/ws``, and
what is malformed there is malformed here; but it may be HTTP/1.0, as proxies speak it that were told nothing, and were
they told more, readers behind them would have a WebSocket.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import Refusal
from gateway.handshake import TOKEN_CHARACTERS, Upgrade, has_token, parsed, query_of, singled_out

# `seen` counts answers; a session has fewer than would fill so many digits.
_SEEN_DIGITS = 9


class Following(Upgrade):
    """A request to follow, checked for form; whether it may is for the desk to say.

    Attributes:
        session: Of a poll: the session it goes on with; empty if it begins one.
        seen: Of a poll: the number of the last answer that arrived; None if it does not say.
        keep_alive: Whether the other side may send another request on this connection.
    """

    __slots__ = ("keep_alive", "seen", "session")

    def __init__(self, version: str, query: bytes, found: dict[bytes, bytes]) -> None:
        super().__init__(
            b"",
            found.get(b"origin", b"").decode("latin-1"),
            found.get(b"x-forwarded-for", b"").decode("latin-1"),
            query,
            found.get(b"user-agent", b"").decode("latin-1"),
        )
        wanted = query_of(query)
        self.session = wanted.get("session", "")
        seen = wanted.get("seen", "")
        self.seen = int(seen) if seen.isdecimal() and seen.isascii() and len(seen) <= _SEEN_DIGITS else None
        self.keep_alive = version == "1.1" and not has_token(found.get(b"connection", b""), b"close")
        if last := found.get(b"last-event-id", b"").decode("latin-1").strip():
            # An `EventSource` came back by itself: to its old address, but it says how far it has got meanwhile.
            self.since = last[:TOKEN_CHARACTERS]
            self.again = True


def read(head: bytes, header_lines: int) -> Following:
    """Parses and checks one request head.

    Args:
        head: The bytes up to and including the empty line; the method is GET.
        header_lines: The most header lines to accept.

    Raises:
        Refusal: It is not a proper request.
    """
    _, version, query, headers = parsed(head)
    return check(version, query, headers, header_lines)


def check(version: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], header_lines: int) -> Following:
    """Checks a parsed GET; see :func:`gateway.handshake.check`.

    Raises:
        Refusal: It is not a proper request.
    """
    found = singled_out(headers, header_lines)
    if version not in ("1.0", "1.1"):
        raise Refusal(400, "malformed", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    return Following(version, query, found)
