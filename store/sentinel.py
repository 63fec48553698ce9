"""Connections to whichever server Sentinel holds to be the primary.

With ``redis.sentinels`` the host in ``redis.url`` is no host but the name the sentinels know the primary by. Each new
connection asks them, in the order of the settings, connects to where they say, and makes sure by ``ROLE`` that a
primary is there: a sentinel cut off from the others may still name the old one. A connection to a primary that was
demoted is cut by the sentinel that demotes it, so nothing is looked at while a connection stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from store.urls import Address


class KeptOutBySentinels(AuthenticationError):
    """No sentinel says where the primary is, and one because it does not let us in."""


class Sentinels:
    """Who knows where the primary is.

    Args:
        addresses: Of the sentinels.
        name: What they call it.
        options: For connections to them: timeouts, and TLS where the primary speaks it.
    """

    def __init__(self, addresses: Sequence[Address], name: str, options: dict[str, Any]) -> None:
        self._addresses = addresses
        self._name = name
        self._options = options

    async def primary(self) -> Address:
        """Where it is, by the first sentinel that knows.

        Raises:
            ConnectionError: None of them does.
            KeptOutBySentinels: Nor will they, as long as the credentials are these.
        """
        why = ""
        refused = ""
        for host, port in self._addresses:
            client = Redis(host=host, port=port, **self._options)
            try:
                asked = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
                found = await client.execute_command(*asked)  # type: ignore[no-untyped-call]
            except AuthenticationError as error:
                refused = f"{host}:{port}: {error}"
            except (RedisError, OSError) as error:
                why = f"{host}:{port}: {error}"
            else:
                if found:
                    return found[0].decode(), int(found[1])
                why = f"{host}:{port} does not know it"
            finally:
                await client.aclose()
        if refused:
            raise KeptOutBySentinels(refused)
        raise RedisConnectionError(f"no sentinel knows where {self._name!r} is ({why})")


class _Led:
    """Goes where the sentinels say; beside one of redis-py's kinds of connection."""

    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        self._sentinels = sentinels
        super().__init__(**options)

    async def connect(self) -> None:
        if not self.is_connected:  # type: ignore[attr-defined]
            self.host, self.port = await self._sentinels.primary()
        await super().connect()  # type: ignore[misc]

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        await super().on_connect_check_health(check_health=check_health)  # type: ignore[misc]
        await self.send_command("ROLE", check_health=False)  # type: ignore[attr-defined]
        role = await self.read_response()  # type: ignore[attr-defined]
        if role[0] != b"master":
            raise RedisConnectionError(f"{self.host}:{self.port} is no primary any more")


class LedConnection(_Led, Connection):
    """A connection to the primary."""


class LedTlsConnection(_Led, SSLConnection):
    """The same by TLS."""
