"""``loa watch``: counts and announcements of a site in the terminal, as readers get them.

It is a session like a browser's, told apart by ``watch=1`` so that it is not counted. It comes back by itself, from the
cursor it has reached, and says when it was cut off; a line is printed for what changed, never repainted, so the output
can be piped.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from notifications import client
from notifications.announcement import STATUSES
from notifications.client import Service, printable
from settings.commandline import Command, Deployment, Failure
from store.errors import NOT_UNDERSTOOD, reason

# As docs/protocol.md asks of a browser: a server silent for so long is gone.
_SILENCE_SECONDS = 60.0
_OPEN_SECONDS = 10.0
# Until the first welcome says otherwise.
_BASE_SECONDS = 0.5
_CAP_SECONDS = 4.0
# A server that welcomes and hangs up at once must not be asked as if nothing had failed.
_SOUND_SECONDS = 5.0
# The pause has reached its cap long before; a power of two that no float holds ends nobody's watch.
_MOST_DOUBLINGS = 16
# Refusals that will be no other the next time.
_FINAL = frozenset({400, 403, 404, 405, 426})

_TEST = "[TEST]"
_COLOURS = {"info": "blue", "notice": "cyan", "breaking": "red", "emergency": "magenta"}


@click.command(cls=Command)
@click.option("--site", default="demo", show_default=True, help="Which portal.")
@click.option("--tests", is_flag=True, help="Follow what is sent as a test, too.")
@click.option("--json", "as_json", is_flag=True, help="Print each frame as a line of JSON.")
@client.SERVER
@click.pass_obj
def watch(deployment: Deployment, site: str, tests: bool, as_json: bool, server: str) -> None:
    """Follow the count and the announcements of a site, without being counted, until Ctrl-C."""
    service = client.find(deployment, server)
    asyncio.run(Watcher(service, site, as_json, click.echo, tests=tests).run())


class Watcher:
    """Follows one site.

    Args:
        service: Where.
        site: Which.
        as_json: Print frames as they came.
        say: Takes one line.
        tests: Follow tests, too.

    Attributes:
        failures: How often in a row it was cut off, or not let in, before it was connected for long.
    """

    def __init__(
        self, service: Service, site: str, as_json: bool, say: Callable[[str], None], *, tests: bool = False
    ) -> None:
        self.failures = 0
        self._tests = tests
        self._service = service
        self._site = site
        self._as_json = as_json
        self._say = say
        self._cursor = ""
        self._lost_before = False
        self._online: object = ()
        self._shown: dict[str, tuple[int, str]] = {}
        self._base_seconds = _BASE_SECONDS
        self._cap_seconds = _CAP_SECONDS

    async def run(self) -> None:
        """Follows until it is cancelled.

        Raises:
            Failure: The service refuses, and would again.
        """
        while True:
            try:
                async with self._connected() as connection:
                    connected_at = time.monotonic()
                    why = await self._listen(connection)
                    if time.monotonic() - connected_at > _SOUND_SECONDS:
                        self.failures = 0
            except InvalidStatus as error:
                status = error.response.status_code
                why = client.sentence(bytes(error.response.body or b""), status)
                if status in _FINAL:
                    raise Failure(f"{self._service.url}: {why}") from None
            except InvalidURI:
                raise Failure(f"{self._service.url!r} is not the address of a service") from None
            except (OSError, TimeoutError, InvalidHandshake) as error:
                why = reason(error)
            if not self._lost_before:
                self._lost(why)
            doublings = min(self.failures, _MOST_DOUBLINGS)
            longest = min(self._cap_seconds, self._base_seconds * 2**doublings)
            self.failures += 1
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311  spreads load, guards nothing

    def _connected(self) -> connect:
        query = {"site": self._site, "path": "/", "watch": "1"}
        if self._tests:
            query["tests"] = "1"
        if self._cursor:
            query["since"] = self._cursor
        address = "ws" + self._service.url.removeprefix("http") + "/ws?" + urlencode(query)
        options: dict[str, Any] = {}
        if self._service.local and address.startswith("wss"):
            options["ssl"] = client.unverified()
        # A welcome holds all that is active, up to ``notifications.max_active``: as long as the service we chose says.
        return connect(address, open_timeout=_OPEN_SECONDS, compression=None, proxy=None, max_size=None, **options)

    async def _listen(self, connection: ClientConnection) -> str:
        """Prints what comes; returns why nothing more does."""
        try:
            while True:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    frame = await connection.recv()
                self._heard(frame)
        except TimeoutError:
            return f"nothing heard for {_SILENCE_SECONDS:.0f} s"
        except ConnectionClosed as error:
            return f"closed with {error.rcvd.code}" if error.rcvd is not None else "the connection broke"

    def _heard(self, frame: str | bytes) -> None:
        try:
            said = msgspec.json.decode(frame)
        except NOT_UNDERSTOOD:
            return
        kind = said.get("type") if isinstance(said, dict) else None
        if kind not in {"welcome", "presence", "announcement"}:
            return
        if isinstance(said.get("cursor"), str):
            self._cursor = said["cursor"]
        if kind == "welcome" and isinstance(said.get("reconnect"), dict):
            self._base_seconds = said["reconnect"].get("base_ms", 1000 * _BASE_SECONDS) / 1000
            self._cap_seconds = said["reconnect"].get("cap_ms", 1000 * _CAP_SECONDS) / 1000
        again = kind == "welcome" and self._lost_before
        if kind == "welcome":
            self._lost_before = False
        if self._as_json:
            # The visitor token names a browser to the service, and is nobody's business here.
            said.pop("visitor", None)
            self._say(msgspec.json.encode(said).decode())
            return
        if again:
            self._line("connected again")
        if kind != "announcement":
            self._count(said)
        if kind == "welcome" and said.get("full"):
            self._forget(said)
        for one in said.get("announcements", [said] if kind == "announcement" else []):
            self._announcement(one)

    def _count(self, said: Mapping[str, Any]) -> None:
        online, stale = said.get("online"), said.get("stale", False)
        if (online, stale) == self._online:
            return
        self._online = (online, stale)
        readers = "not counted yet" if online is None else f"{online:,} reader{'s' if online != 1 else ''}"
        self._line(readers + (", not fresh: the store is away" if stale else ""))

    def _forget(self, welcome: Mapping[str, Any]) -> None:
        active = {one.get("id") for one in welcome.get("announcements", [])}
        for id in [id for id in self._shown if id not in active]:
            if self._shown.pop(id)[1] == "live":
                self._line(f"over      {id}")

    def _announcement(self, one: Mapping[str, Any]) -> None:
        id, revision, status = printable(str(one.get("id"))), one.get("revision", 0), one.get("status")
        if status not in STATUSES or not isinstance(revision, int):
            return
        before = self._shown.get(id, (0, ""))
        if (revision, status == "recalled") <= (before[0], before[1] == "recalled"):
            return
        self._shown[id] = (revision, status)
        title = printable(str(one.get("title", "")))
        if one.get("test"):
            title = f"{click.style(_TEST, fg='black', bg='yellow')} {title}"
        if status == "recalled":
            self._line(f"recalled  {title}  ({id})")
            return
        severity = str(one.get("severity"))
        word = click.style(f"{severity:<9}", fg=_COLOURS.get(severity), bold=True)
        link = f"  {printable(str(one['url']))}" if one.get("url") else ""
        # Drafts count revisions, too: what was corrected has been written since it was published.
        corrected = f", revision {revision}" if one.get("updated_at") != one.get("published_at") else ""
        until = str(one.get("expires_at", ""))
        self._line(f"{word} {title}{link}  ({id}{corrected}, until {printable(until)})")

    def _lost(self, why: str) -> None:
        self._lost_before = True
        if self._as_json:
            self._say(msgspec.json.encode({"type": "lost", "why": why}).decode())
        else:
            self._line(f"lost, trying again: {printable(why)}")

    def _line(self, text: str) -> None:
        self._say(f"{time.strftime('%H:%M:%S')}  {self._site}  {text}")
