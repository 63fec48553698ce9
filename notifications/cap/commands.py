"""``loa cap``: looks at a file with a CAP message, and sends one."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Any, BinaryIO

import click
import msgspec

from gateway.instants import rfc3339
from gateway.sites import SITE_ID
from notifications import client
from notifications.announcement import Draft
from notifications.cap import making
from notifications.cap import message as messages
from notifications.cap.api import PATH, TYPES
from notifications.cap.faults import Fault, NotCap
from notifications.cap.making import Plan
from notifications.cap.markup import MAX_BYTES
from notifications.cap.message import Message
from notifications.client import printable
from notifications.settings import NotificationsSettings
from settings.commandline import Command, Deployment, Failure

_FILE = click.argument("file", type=click.File("rb"))
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group()
def cap() -> None:
    """Check and send messages of the Common Alerting Protocol 1.2."""


@cap.command("check", cls=Command)
@_FILE
@click.option(
    "--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="Of the site it is meant for."
)
@_AS_JSON
@click.pass_obj
def check(deployment: Deployment, file: BinaryIO, language: str, as_json: bool) -> None:
    """Say what is wrong with FILE, or what would become of it. "-" is standard input. Sends nothing."""
    read = _read(file)
    settings = deployment.section(NotificationsSettings)
    bounds = making.Bounds(settings.default_expiry_seconds, settings.max_expiry_seconds)
    plan = making.plan(read, "site", language, bounds, int(time.time() * 1000))
    if as_json:
        click.echo(msgspec.json.encode(plan))
        return
    click.echo(f"valid: {read.kind} {read.identity}, {read.status}, {read.scope}")
    for line in _told(read, plan):
        click.echo(printable(line))


@cap.command("send", cls=Command)
@_FILE
@click.option("--site", required=True, help="Whose readers it is for.")
@_AS_JSON
@client.SERVER
@client.TOKEN
@click.pass_obj
def send(deployment: Deployment, *, file: BinaryIO, site: str, as_json: bool, server: str, token: str) -> None:
    """Send FILE to the service; repeated, it happens once. "-" is standard input."""
    if SITE_ID.fullmatch(site) is None:
        raise Failure(f"{site!r} is not the id of a site")
    data = _bytes(file)
    read = _checked(data)

    async def post() -> dict[str, Any]:
        service = client.find(deployment, server)
        given = await client.token_for(deployment, service, token)
        # The service knows a message by its identity; this names the request in what went wrong.
        key = hashlib.sha256(f"{site}|{read.identity}".encode()).hexdigest()[:32]
        return await client.act(service, given, PATH.format(site=site), data, key, kind=TYPES[0])

    answer = asyncio.run(post())
    if as_json:
        click.echo(msgspec.json.encode(answer))
        return
    did = f"{answer.get('outcome')}{' before' if answer['replayed'] else ''}"
    why = f": {answer['reason']}" if answer.get("reason") else ""
    click.echo(printable(f"{answer['id'] or read.identity}  {did}{why}; {answer['sessions']:,} open pages"))
    for note in answer.get("notes", []):
        click.echo(printable(f"  {note}"))


def _read(file: BinaryIO) -> Message:
    return _checked(_bytes(file))


def _bytes(file: BinaryIO) -> bytes:
    # One more than may be, so that the reader can say that it is too long; and no more, whatever is piped in.
    return file.read(MAX_BYTES + 1)


def _checked(data: bytes) -> Message:
    try:
        return messages.read(data)
    except NotCap as error:
        for fault in error.faults:
            click.echo(printable(_line(fault)), err=True)
        count = len(error.faults)
        raise Failure(f"not a CAP 1.2 message that can be taken: {count} fault{'s' if count != 1 else ''}") from None


def _line(fault: Fault) -> str:
    return f"line {fault.line}: {fault.what}" if fault.line else fault.what


def _told(read: Message, plan: Plan) -> list[str]:
    if plan.act == "ignore":
        return [f"would be ignored: {plan.why}"]
    referred = f" what {read.references} has become" if read.references else ""
    if plan.act == "withdraw":
        return [f"would take back{referred}: {plan.why}"]
    draft = plan.draft
    if draft is None:
        raise AssertionError("what is to be told has a text")
    beginning = {"live": "at once", "scheduled": f"from {rfc3339(draft.starts_ms)}", "draft": "as a draft"}[plan.then]
    lines = [f"would become {draft.severity}{', a test' if draft.test else ''}, {beginning}"]
    if plan.act == "change":
        lines = [f"would change{referred}, to {draft.severity}"]
    return [*lines, *_texts(draft), *(f"  note: {note}" for note in plan.notes)]


def _texts(draft: Draft) -> list[str]:
    until = rfc3339(draft.ends_ms) if draft.ends_ms else f"{draft.expires_in} s after it goes live"
    lines = [f"  until: {until}", f"  title ({draft.language or 'as the site'}): {draft.title}"]
    if draft.body:
        lines.append(f"  body: {draft.body}")
    if draft.url:
        lines.append(f"  url: {draft.url}")
    lines += [f"  title ({language}): {text.title}" for language, text in draft.texts.items()]
    if draft.audience.sections or draft.audience.paths:
        lines.append(f"  only: {', '.join((*draft.audience.sections, *draft.audience.paths))}")
    if draft.cap is not None and draft.cap.areas:
        lines.append(f"  areas: {'; '.join(draft.cap.areas)}")
    return lines
