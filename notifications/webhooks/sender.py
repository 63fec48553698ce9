"""Posts a signed message to a webhook, once, and says what came of it.

What it promises: 10 seconds at most in all, however slowly the receiver speaks; no more than a few KB of an answer are
read, and none are decompressed; redirects are not followed; certificates are verified; no proxy is asked. The address
that is connected to is the one that was looked at: the socket for it is made here, or is not made.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import aiohttp

from notifications.webhooks import signature
from notifications.webhooks.networks import public
from notifications.webhooks.schedule import asked_seconds
from notifications.webhooks.webhook import Webhook, valid

AGENT = "Loa webhooks"
_READ_BYTES = 4_096
_MOST_WHY = 200


class Forbidden(OSError):
    """The address is none that events may be posted to."""


class Sent(NamedTuple):
    """What came of a try.

    Attributes:
        outcome: `delivered`; `failed`; `gone`, the receiver wants no more; `lost`, there is nothing to be sent.
        why: Of one that failed, in a few words.
        status: What was answered; 0 if nothing was.
        asked_seconds: How long the receiver asked us to wait.
    """

    outcome: Literal["delivered", "failed", "gone", "lost"]
    why: str = ""
    status: int = 0
    asked_seconds: float = 0.0


class Sender:
    """Posts; open it with ``async with``.

    Args:
        seconds: How long a try may take.
        private: Whether one's own networks may be posted to.
        trusted: Whose certificates are believed, in place of the system's; for tests.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        seconds: float,
        *,
        private: bool,
        trusted: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._seconds = seconds
        self._private = private
        self._trusted = trusted
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Sender:
        """Opens it."""
        connector = aiohttp.TCPConnector(
            ssl=self._trusted or True,
            # Each delivery finds its way anew: an hour later the name may lead somewhere else.
            force_close=True,
            use_dns_cache=False,
            socket_factory=self._socket,
        )
        self._http = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            auto_decompress=False,
            read_bufsize=_READ_BYTES,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes it, and with it whatever is under way."""
        if self._http is not None:
            await self._http.close()

    async def send(self, webhook: Webhook, id: str, body: bytes) -> Sent:
        """Posts `body` as message `id`."""
        if self._http is None:
            raise RuntimeError("open it first")
        now = self._clock()
        signed = signature.headers(id, int(now), body, valid(webhook.secrets, int(now * 1000)))
        headers = {"Content-Type": "application/json", "User-Agent": AGENT, **signed}
        try:
            async with self._http.post(webhook.url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.content.read(_READ_BYTES)
                return self._judged(answer)
        except TimeoutError:
            return Sent("failed", f"no answer within {self._seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Sent("failed", _why(error))

    def _judged(self, answer: aiohttp.ClientResponse) -> Sent:
        status = answer.status
        if 200 <= status < 300:
            return Sent("delivered", status=status)
        if status == 410:
            return Sent("gone", "the receiver answered 410: it wants no more", status)
        asked = asked_seconds(answer.headers.get("Retry-After", ""), self._clock()) if status in (429, 503) else 0.0
        what = "; redirects are not followed" if 300 <= status < 400 else ""
        return Sent("failed", f"the receiver answered {status}{what}", status, asked)

    def _socket(self, address: Any) -> socket.socket:
        """The socket for one address of those a name has led to."""
        family, kind, protocol, _, to = address
        if not self._private and not public(str(to[0])):
            raise Forbidden(f"{to[0]} is in a network of one's own, which takes notifications.webhooks_private")
        return socket.socket(family, kind, protocol)


def _why(error: Exception) -> str:
    """What is known of it, in one line that holds no address with a path."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not valid: {error.certificate_error}"[:_MOST_WHY]
    if isinstance(error, aiohttp.ClientConnectorError):
        return (str(error.os_error.strerror or error.os_error) or "it cannot be connected to")[:_MOST_WHY]
    return f"it broke off: {type(error).__name__}"
