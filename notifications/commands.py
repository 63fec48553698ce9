"""``loa announce``, ``recall``, ``discard`` and ``token``: an editor's acts from the command line."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

import click
import msgspec

from gateway.instants import rfc3339
from notifications import client, wire
from notifications.announcement import SEVERITIES
from notifications.people.rights import ANY_SITE, ROLES, Role
from notifications.people.user import wrong_roles
from notifications.tokens import MAX_DAYS, MAX_NAME, Token, Tokens
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


# What is said of an announcement that went to nobody yet.
_WRITTEN = {
    "draft": "written as a draft",
    "waiting": "waits until somebody approves of it",
    "scheduled": "goes out at {}",
}

_OFFSET = re.compile(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$", re.ASCII)

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
@click.option("--language", default="", help="Of the text, such as vi.  [default: that of each site]")
@click.option("--section", "sections", multiple=True, help="Only on pages of this section; several times for several.")
@click.option(
    "--path", "paths", multiple=True, help="Only on pages like this: /tin/*, /tin/**; several times for several."
)
@click.option("--visible", is_flag=True, help="Only on pages that are looked at.")
@click.option("--test", is_flag=True, help="A test: only browsers that have asked for tests see it.")
@click.option("--at", default="", help="When it goes out: 2026-11-28T08:00, by the site's clock, or with an offset.")
@click.option("--draft", "as_draft", is_flag=True, help="Write it down, and send nothing.")
@click.option(
    "--submit", is_flag=True, help="Ask others to approve of it first; it is sent or scheduled when they did."
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
    language: str,
    sections: tuple[str, ...],
    paths: tuple[str, ...],
    visible: bool,
    test: bool,
    at: str,
    as_draft: bool,
    submit: bool,
    key: str,
    as_json: bool,
    server: str,
    token: str,
) -> None:
    """Send an announcement to everybody who is reading now, and to those who come before it expires."""
    if at and as_draft:
        raise Failure("--at and --draft: a draft goes out when somebody sends or schedules it; give one of them")
    if submit and as_draft:
        raise Failure("--submit and --draft: a draft is submitted when it is done; give one of them")
    wanted: dict[str, object] = {"sites": sites, "severity": severity, "title": title, "body": body, "url": link}
    if expires_in is not None:
        wanted["expires_in"] = expires_in
    if language:
        wanted["language"] = language
    if audience := {name: value for name, value in _audience(sections, paths, visible).items() if value}:
        wanted["audience"] = audience
    if test:
        wanted["test"] = True
    if at:
        wanted |= {"status": "scheduled", "starts_at": at}
    if submit:
        wanted["status"] = "waiting"
    elif as_draft:
        wanted["status"] = "draft"
    answer = asyncio.run(_act(deployment, wire.ANNOUNCEMENTS, wanted, key=key, server=server, token=token))
    if as_json:
        click.echo(msgspec.json.encode(answer))
        return
    if answer["status"] in _WRITTEN:
        moment = answer.get("starts_at")
        if at and _OFFSET.search(at) is None:
            # As it was typed: an editor who wrote 08:00 should not read 01:00.
            moment = f"{at} by the site's clock, {moment}"
        click.echo(f"{answer['id']}  {_WRITTEN[answer['status']].format(moment)}; {_safety(answer)}")
        return
    did = "was sent before," if answer["replayed"] else "sent as a test to" if test else "sent to"
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
    answer = asyncio.run(_act(deployment, _path(id, "recall"), {"reason": reason}, key=key, server=server, token=token))
    if as_json:
        click.echo(msgspec.json.encode(answer))
        return
    did = "was recalled before," if answer["replayed"] else "recalled from"
    click.echo(f"{answer['id']}  {did} {_sessions(answer)}; {_safety(answer)}")


@click.command(cls=Command)
@click.argument("id")
@KEY
@AS_JSON
@client.SERVER
@client.TOKEN
@click.pass_obj
def discard(deployment: Deployment, id: str, *, key: str, as_json: bool, server: str, token: str) -> None:
    """Throw the announcement ID away, a draft or one that is scheduled: nobody has been told of it."""
    answer = asyncio.run(_act(deployment, _path(id, "discard"), {}, key=key, server=server, token=token))
    if as_json:
        click.echo(msgspec.json.encode(answer))
        return
    click.echo(f"{answer['id']}  {'was discarded before' if answer['replayed'] else 'discarded'}; {_safety(answer)}")


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
@click.option("--expires-days", type=click.IntRange(1, MAX_DAYS), help="The same in days.")
@click.option("--site", "sites", multiple=True, help="Only on this site; may be given several times.  [default: all]")
@click.pass_obj
def create(
    deployment: Deployment,
    *,
    role: Role,
    name: str,
    expires_in: int | None,
    expires_days: int | None,
    sites: tuple[str, ...],
) -> None:
    """Make a token; the last line printed is the token itself, which is not shown again."""
    if expires_in is not None and expires_days is not None:
        raise Failure("--expires-in and --expires-days say the same; give one of them")
    if expires_days is not None:
        expires_in = expires_days * 86_400
    wanted = (ANY_SITE,) if ANY_SITE in sites or not sites else tuple(dict.fromkeys(sites))
    here = getattr(deployment.settings, "sites", {})
    if wrong := wrong_roles(dict.fromkeys(wanted, role), here):
        raise Failure(f"--site: {client.printable(wrong[0].detail)}; there are {', '.join(here) or 'none'}, and '*'")
    if _NAME.fullmatch(name.strip()) is None:
        raise Failure(f"--name takes 1 to {MAX_NAME} characters, no control characters")

    async def make() -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            new = await Tokens(redis, prefix).create(name.strip(), role, expires_in, sites=wanted)
        may = f"role {new.token.role} on {_where(new.token)}"
        click.echo(f"token {new.token.id} for {new.token.name}, {may}, {_good_until(new.token)}")
        click.echo("Keep it; it is not shown again:")
        click.echo(new.text)

    asyncio.run(make())


@token.command("list", cls=Command)
@click.pass_obj
def list_tokens(deployment: Deployment) -> None:
    """List the tokens, one a line: id, role, sites, when made, until when good, when last used, name."""

    async def show() -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            tokens, used = await Tokens(redis, prefix).list(), await Tokens(redis, prefix).used()
        for one in tokens:
            made = _moment(one.created_ms)[:10]
            last = f"used {_moment(used[one.id])[:16]}Z" if one.id in used else "never used"
            columns = [one.id, f"{one.role:<8}", f"{_where(one):<9}", made, f"{_good_until(one):<24}", f"{last:<22}"]
            click.echo("  ".join([*columns, client.printable(one.name)]))

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


async def _act(
    deployment: Deployment, path: str, body: dict[str, object], *, key: str, server: str, token: str
) -> dict[str, Any]:
    if key and wire.KEY.fullmatch(key) is None:
        raise Failure(f"--key takes 1 to {wire.MAX_KEY} visible ASCII characters")
    service = client.find(deployment, server)
    given = await client.token_for(deployment, service, token)
    return await client.act(service, given, path, body, key or secrets.token_hex(16))


def _path(id: str, act: str) -> str:
    if not id.isalnum() or not id.isascii():
        raise Failure(f"{id!r} is not the id of an announcement")
    return f"{wire.ANNOUNCEMENTS}/{id}/{act}"


def _audience(sections: tuple[str, ...], paths: tuple[str, ...], visible: bool) -> dict[str, object]:
    return {"sections": sections, "paths": paths, "visible": visible}


def _sessions(answer: dict[str, Any]) -> str:
    sessions = answer["sessions"]
    return f"{sessions:,} open page{'s' if sessions != 1 else ''}"


def _safety(answer: dict[str, Any]) -> str:
    return "safe on disk" if answer["durability"] == "disk" else "in memory: the store cannot say that it is on disk"


def _good_until(token: Token) -> str:
    return f"until {_moment(token.expires_ms)[:16]}Z" if token.expires_ms else "until revoked"


def _where(token: Token) -> str:
    return "all sites" if ANY_SITE in token.sites else ",".join(token.sites)


def _moment(milliseconds: int) -> str:
    """As `instant`, but the calendar's last moment for what lies beyond, as tokens of an earlier release may."""
    return rfc3339(max(0, min(milliseconds, _LAST_MS)))
