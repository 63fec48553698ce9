"""``loa webhook``: whom to tell what happens to announcements, and by which hooks a CMS makes them.

These commands work on the store, as ``loa token`` does: whoever may use it is the operator.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast

import click

from gateway.instants import rfc3339
from gateway.sites import Sites
from notifications import client
from notifications.actor import OPERATOR
from notifications.errors import Invalid
from notifications.settings import NotificationsSettings
from notifications.webhooks import wanted
from notifications.webhooks.api import tried
from notifications.webhooks.errors import NameTaken, NoSuchWebhook, TooManyWebhooks
from notifications.webhooks.registry import Registry
from notifications.webhooks.sender import Sender
from notifications.webhooks.webhook import EVENTS, THENS
from settings.commandline import Command, Deployment, Failure

_DEAD_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)


@click.group()
def webhook() -> None:
    """Tell other systems what happens to announcements; let a CMS make them."""


@webhook.command("add", cls=Command)
@click.argument("url")
@click.option("--site", "sites", multiple=True, help="Whose announcements; may be given several times.  [default: all]")
@click.option(
    "--event", "events", type=click.Choice(EVENTS), multiple=True, required=True, help="Of what; several times."
)
@click.option("--tests", is_flag=True, help="Also of announcements that are tests.")
@click.pass_obj
def add(deployment: Deployment, url: str, sites: tuple[str, ...], events: tuple[str, ...], tests: bool) -> None:
    """Post to URL what happens from now on; the last line printed is the secret, which is not shown again."""

    async def make(registry: Registry) -> None:
        document: dict[str, Any] = {"url": url, "events": [*events], "tests": tests}
        if sites:
            document["sites"] = [*sites]
        asked = wanted.webhook(document, _sites(deployment), private=registry.settings.webhooks_private)
        made, secret = await registry.add(asked, OPERATOR)
        click.echo(f"webhook {made.id} to {client.printable(made.url)}")
        click.echo("Keep the secret by which its receiver knows us; it is not shown again:")
        click.echo(secret)

    _run(deployment, make)


@webhook.command("list", cls=Command)
@click.pass_obj
def list_webhooks(deployment: Deployment) -> None:
    """List the webhooks, one a line: id, how it stands, sites, events, address."""

    async def show(registry: Registry) -> None:
        for one in await registry.all():
            stands = f"disabled: {one.disabled}" if one.disabled else f"{one.waiting} waiting"
            events = ",".join(event.partition(".")[2] for event in one.webhook.events)
            sites = ",".join(one.webhook.sites) or "all sites"
            click.echo(f"{one.webhook.id}  {stands}  {sites}  {events}  {client.printable(one.webhook.url)}")

    _run(deployment, show)


@webhook.command("remove", cls=Command)
@click.argument("id")
@click.pass_obj
def remove(deployment: Deployment, id: str) -> None:
    """Tell the webhook ID nothing more, nor what waits for it."""

    async def end(registry: Registry) -> None:
        await registry.remove(id, OPERATOR)
        click.echo(f"{id}  removed")

    _run(deployment, end)


@webhook.command("test", cls=Command)
@click.argument("id")
@click.pass_obj
def test(deployment: Deployment, id: str) -> None:
    """Send a test to the webhook ID, once, from this machine, and say what came of it."""

    async def send(registry: Registry) -> None:
        found = (await registry.get(id)).webhook
        settings = registry.settings
        async with Sender(settings.webhook_seconds, private=settings.webhooks_private) as sender:
            answer = await tried(registry, sender, found, OPERATOR)
        if answer.outcome != "delivered":
            raise Failure(f"not delivered: {client.printable(answer.why)}")
        click.echo(f"{id}  delivered, answered {answer.status}")

    _run(deployment, send)


@webhook.command("rotate", cls=Command)
@click.argument("id")
@click.pass_obj
def rotate(deployment: Deployment, id: str) -> None:
    """Make a new secret for the webhook ID; for a while the one before is signed with besides."""

    async def make(registry: Registry) -> None:
        _rotated(await registry.rotate(id, OPERATOR), registry)

    _run(deployment, make)


@webhook.command("enable", cls=Command)
@click.argument("id")
@click.pass_obj
def enable(deployment: Deployment, id: str) -> None:
    """Tell the webhook ID, whose receiver has answered 410, what happens from now on."""

    async def begin(registry: Registry) -> None:
        await registry.enable(id, OPERATOR)
        click.echo(f"{id}  enabled")

    _run(deployment, begin)


@webhook.group("dead")
def dead() -> None:
    """What could not be delivered at any of the tries."""


@dead.command("list", cls=Command)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the latest.")
@click.pass_obj
def list_dead(deployment: Deployment, limit: int) -> None:
    """List them, the latest first: id, when it was given up, webhook, event, announcement, tries, why."""

    async def show(registry: Registry) -> None:
        for one in await registry.dead(limit):
            waiting = one.waiting
            what = f"{waiting.event}  {waiting.announcement}  {waiting.tries} tries"
            click.echo(f"{one.id}  {rfc3339(one.at_ms)}  {one.webhook}  {what}  {client.printable(waiting.why)}")

    _run(deployment, show)


@dead.command("retry", cls=Command)
@click.argument("ids", nargs=-1, required=True)
@click.pass_obj
def retry(deployment: Deployment, ids: tuple[str, ...]) -> None:
    """Deliver the dead deliveries IDS after all, as if they had not been tried."""

    async def begin(registry: Registry) -> None:
        for id in ids:
            await registry.retry(_dead_id(id), OPERATOR)
            click.echo(f"{id}  waits again")

    _run(deployment, begin)


@dead.command("drop", cls=Command)
@click.argument("ids", nargs=-1, required=True)
@click.pass_obj
def drop(deployment: Deployment, ids: tuple[str, ...]) -> None:
    """Give the dead deliveries IDS up for good."""

    async def end(registry: Registry) -> None:
        for id in ids:
            await registry.drop(_dead_id(id), OPERATOR)
            click.echo(f"{id}  dropped")

    _run(deployment, end)


@webhook.group("in")
def incoming() -> None:
    """Hooks by which a CMS makes announcements."""


@incoming.command("add", cls=Command)
@click.argument("name")
@click.option("--site", "sites", multiple=True, required=True, help="For which sites; may be given several times.")
@click.option("--then", type=click.Choice(THENS), required=True, help="What becomes of what the CMS posts.")
@click.pass_obj
def add_hook(deployment: Deployment, name: str, sites: tuple[str, ...], then: str) -> None:
    """Let a CMS post to /api/v1/hooks/NAME; the last line printed is the secret it signs with, not shown again."""

    async def make(registry: Registry) -> None:
        asked = wanted.hook({"name": name, "sites": [*sites], "then": then}, _sites(deployment))
        made, secret = await registry.add_hook(asked, OPERATOR)
        click.echo(f"the CMS posts to /api/v1/hooks/{made.name}; what it posts becomes {made.then}")
        click.echo("Keep the secret it signs with; it is not shown again:")
        click.echo(secret)

    _run(deployment, make)


@incoming.command("list", cls=Command)
@click.pass_obj
def list_hooks(deployment: Deployment) -> None:
    """List the hooks, one a line: name, what becomes of what is posted, sites."""

    async def show(registry: Registry) -> None:
        for one in await registry.hooks():
            click.echo(f"{one.name}  {one.then}  {','.join(one.sites)}")

    _run(deployment, show)


@incoming.command("remove", cls=Command)
@click.argument("name")
@click.pass_obj
def remove_hook(deployment: Deployment, name: str) -> None:
    """Believe the hook NAME no more, from now on."""

    async def end(registry: Registry) -> None:
        await registry.remove_hook(name, OPERATOR)
        click.echo(f"{name}  removed")

    _run(deployment, end)


@incoming.command("rotate", cls=Command)
@click.argument("name")
@click.pass_obj
def rotate_hook(deployment: Deployment, name: str) -> None:
    """Make a new secret for the hook NAME; for a while the one before is believed besides."""

    async def make(registry: Registry) -> None:
        _rotated(await registry.rotate_hook(name, OPERATOR), registry)

    _run(deployment, make)


def _rotated(secret: str, registry: Registry) -> None:
    click.echo(
        f"The secret before this one is good for {registry.settings.webhook_rotation_hours} h more. The new one:"
    )
    click.echo(secret)


def _run(deployment: Deployment, act: Callable[[Registry], Awaitable[None]]) -> None:
    async def on_store() -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            try:
                await act(Registry(redis, prefix, deployment.section(NotificationsSettings)))
            except (Invalid, NoSuchWebhook, NameTaken, TooManyWebhooks) as error:
                raise Failure(client.printable(str(error))) from None

    asyncio.run(on_store())


def _sites(deployment: Deployment) -> Sites:
    return cast("Sites", getattr(deployment.settings, "sites", {}))


def _dead_id(id: str) -> str:
    if _DEAD_ID.fullmatch(id) is None or max(map(int, id.split("-"))) >= 2**64:
        raise Failure(f"{client.printable(id)!r} is not the id of a dead delivery; 'loa webhook dead list' shows all")
    return id
