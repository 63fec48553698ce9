"""This room's part of the command line: ``loa announce``, ``recall``, ``watch`` and ``token``."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

import click
import msgspec

from notifications import client
from notifications.announcement import SEVERITIES, instant
from notifications.api import PATH
from notifications.reading import KEY as KEY_PATTERN
from notifications.reading import MAX_KEY
from notifications.tokens import MAX_DAYS, MAX_NAME, ROLES, Role, Token, Tokens
from notifications.watch import watch
from settings.commandline import Command, Deployment, Failure

# More digits than anybody means, and fewer than Python refuses to read.
_DURATION = re.compile(r"(?:\d{1,12}[smhd])+|\d{1,12}", re.ASCII)
_PART = re.compile(r"(\d+)([smhd]?)", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
# No control characters, and no bytes of an argument that are not UTF-8, which Python hands on as half surrogates.
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_NAME}}}")
# The last moment of the calendar, the year 9999, in milliseconds of Unix time.
_LAST_MS = 253_402_300_799_999


class Span(click.ParamType[int]):
    """A time such as ``90``, ``45s``, ``10m``, ``1h30m`` or ``2d``, in seconds.

    Args:
        least_seconds: The shortest that is taken.
        most_days: The longest that is taken; None if somebody else decides that.
    """

    name = "time"

    def __init__(self, least_seconds: int = 0, most_days: int | None = None) -> None:
        self._least_seconds = least_seconds
        self._most_days = most_days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See :class:`click.ParamType`."""
        if isinstance(value, int):
            return value
        if _DURATION.fullmatch(value) is None:
            self.fail(f"{value!r} is not a time such as 45s, 10m, 1h30m or 2d", param, ctx)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(value))
        if seconds < self._least_seconds:
            self.fail(f"{value!r} is less than {self._least_seconds} s", param, ctx)
        if self._most_days is not None and seconds > self._most_days * 86_400:
            self.fail(f"{value!r} is more than {self._most_days:,} days", param, ctx)
        return seconds


KEY = click.option("--key", default="", help="Idempotency key: repeated with the same one, it happens once.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the service's answer as JSON.")


@click.command(cls=Command)
@click.option("--site", "sites", multiple=True, required=True, help="Whose readers see it; may be given several times.")
@click.option(
    "--severity", type=click.Choice(SEVERITIES), default="notice", show_default=True, help="How urgent it is."
)
@click.option("--title", required=True, help="One line, at most 120 characters.")
@click.option("--body", default="", help="Plain text, at most 1,000 characters.")
@click.option("--url", "link", default="", help="Where to read on, http or https.")
@click.option(
    "--expires-in", type=Span(), help="How long it is shown: 45s, 10m, 1h30m, 2d.  [default: as the service says]"
)
@KEY
@AS_JSON
@client.SERVER
@client.TOKEN
@click.pass_obj
def announce(
    deployment: Deployment,
    *,
    sites: tuple[str, ...],
    severity: str,
    title: str,
    body: str,
    link: str,
    expires_in: int | None,
    key: str,
    as_json: bool,
    server: str,
    token: str,
) -> None:
    """Send an announcement to everybody who is reading now, and to those who come before it expires."""
    wanted: dict[str, object] = {"sites": sites, "severity": severity, "title": title, "body": body, "url": link}
    if expires_in is not None:
        wanted["expires_in"] = expires_in
    answer = asyncio.run(_act(deployment, PATH, wanted, key=key, server=server, token=token))
    if as_json:
        click.echo(msgspec.json.encode(answer))
        return
    did = "was sent before," if answer["replayed"] else "sent to"
    click.echo(f"{answer['id']}  {did} {_sessions(answer)}; {_safety(answer)}")


@click.command(cls=Command)
@click.argument("id")
@click.option("--reason", default="", help="Why; for editors only.")
@KEY
@AS_JSON
@client.SERVER
@client.TOKEN
@click.pass_obj
def recall(deployment: Deployment, id: str, *, reason: str, key: str, as_json: bool, server: str, token: str) -> None:
    """Take the announcement ID back everywhere."""
    if not id.isalnum() or not id.isascii():
        raise Failure(f"{id!r} is not the id of an announcement")
    path = f"{PATH}/{id}/recall"
    answer = asyncio.run(_act(deployment, path, {"reason": reason}, key=key, server=server, token=token))
    if as_json:
        click.echo(msgspec.json.encode(answer))
        return
    did = "was recalled before," if answer["replayed"] else "recalled from"
    click.echo(f"{answer['id']}  {did} {_sessions(answer)}; {_safety(answer)}")


@click.group()
def token() -> None:
    """Make, list and revoke tokens for the API."""


@token.command("create", cls=Command)
@click.option("--role", type=click.Choice(ROLES), default="editor", show_default=True, help="What it may do.")
@click.option("--name", required=True, help="Whose it is, as `loa token list` shows it.")
@click.option(
    "--expires-in",
    type=Span(1, MAX_DAYS),
    help=f"How long it is good, such as 90d; at most {MAX_DAYS:,} days.  [default: until revoked]",
)
@click.pass_obj
def create(deployment: Deployment, role: Role, name: str, expires_in: int | None) -> None:
    """Make a token; the last line printed is the token itself, which is not shown again."""
    if _NAME.fullmatch(name.strip()) is None:
        raise Failure(f"--name takes 1 to {MAX_NAME} characters, no control characters")

    async def make() -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            new = await Tokens(redis, prefix).create(name.strip(), role, expires_in)
        click.echo(f"token {new.token.id} for {new.token.name}, role {new.token.role}, {_good_until(new.token)}")
        click.echo("Keep it; it is not shown again:")
        click.echo(new.text)

    asyncio.run(make())


@token.command("list", cls=Command)
@click.pass_obj
def list_tokens(deployment: Deployment) -> None:
    """List the tokens, one a line: id, role, when it was made, until when it is good, name."""

    async def show() -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            tokens = await Tokens(redis, prefix).list()
        for one in tokens:
            made = _moment(one.created_ms)[:10]
            click.echo(f"{one.id}  {one.role:<8}  {made}  {_good_until(one):<24}  {client.printable(one.name)}")

    asyncio.run(show())


@token.command("revoke", cls=Command)
@click.argument("id")
@click.pass_obj
def revoke(deployment: Deployment, id: str) -> None:
    """End the token ID; it stops working at once. ID is what `loa token list` shows."""

    async def end() -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            if not await Tokens(redis, prefix).revoke(id):
                raise Failure(f"there is no token {client.printable(id)!r}; 'loa token list' shows all")
        click.echo(f"{id}  revoked")

    asyncio.run(end())


commands: list[click.Command] = [announce, recall, watch, token]


async def _act(
    deployment: Deployment, path: str, body: dict[str, object], *, key: str, server: str, token: str
) -> dict[str, Any]:
    if key and KEY_PATTERN.fullmatch(key) is None:
        raise Failure(f"--key takes 1 to {MAX_KEY} visible ASCII characters")
    service = client.find(deployment, server)
    given = await client.token_for(deployment, service, token)
    return await client.act(service, given, path, body, key or secrets.token_hex(16))


def _sessions(answer: dict[str, Any]) -> str:
    sessions = answer["sessions"]
    return f"{sessions:,} open page{'s' if sessions != 1 else ''}"


def _safety(answer: dict[str, Any]) -> str:
    return "safe on disk" if answer["durability"] == "disk" else "in memory: the store cannot say that it is on disk"


def _good_until(token: Token) -> str:
    return f"until {_moment(token.expires_ms)[:16]}Z" if token.expires_ms else "until revoked"


def _moment(milliseconds: int) -> str:
    """As `instant`, but the calendar's last moment for what lies beyond, as tokens of an earlier release may."""
    return instant(max(0, min(milliseconds, _LAST_MS)))
