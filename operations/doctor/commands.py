"""``loa doctor``: looks at everything an installation needs, and says what to do."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.settings import GatewaySettings
from gateway.sites import SiteSettings
from notifications.client import printable
from operations.address import of_web
from operations.doctor import certificate, checks, page_checks, policy, reaching
from operations.doctor.asking import ask, ask_leases
from operations.doctor.finding import Finding, bad, ok, unknown
from operations.preflight import SPARE_DESCRIPTORS
from operations.settings import ServerSettings
from operations.stores import of_leases
from settings.commandline import Blueprint, Command, Deployment, Failure
from store import runfile
from store.runfile import RunFile

_WORDS = {"ok": "ok", "warning": "warning", "bad": "WRONG", "unknown": "unknown"}
_COLOURS = {"ok": "green", "warning": "yellow", "bad": "bold red", "unknown": "cyan"}


class _Patient(Command):
    """Settings that cannot be read are the first finding, not the end."""

    def invoke(self, ctx: click.Context) -> Any:
        """See :class:`settings.commandline.Command`."""
        try:
            return super().invoke(ctx)
        except Failure as error:
            if ctx.find_object(Deployment) is not None or ctx.find_object(Blueprint) is None:
                raise
            _tell([bad("settings", error.message, "correct them; what runs goes on with the old ones")], ctx.params)
            return None


class _Page(click.ParamType[str]):
    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See :class:`click.ParamType`."""
        text = str(value)
        if of_web(text) is None:
            self.fail(f"{text!r} is not of the form https://portal.example.vn/", param, ctx)
        return text


@click.command(cls=_Patient)
@click.option("--page", "pages", type=_Page(), multiple=True, help="A portal's page that is to show the widget.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def doctor(deployment: Deployment, pages: tuple[str, ...], *, as_json: bool) -> None:
    """Look at settings, store, service, certificate and pages, and say for each what to do.

    Exit code 1 if anything is wrong; warnings alone do not count.
    """
    _tell(asyncio.run(_examined(deployment, pages)), {"as_json": as_json})


async def _examined(deployment: Deployment, pages: tuple[str, ...]) -> list[Finding]:
    """All findings, in order."""
    server = deployment.section(ServerSettings)
    sites: Mapping[str, SiteSettings] = getattr(deployment.settings, "sites", {})
    origins = {id: site.origins for id, site in sites.items()}
    site, public = next(iter(sites), ""), server.public_url.rstrip("/")
    found = [ok("settings", str(deployment.file) if deployment.file is not None else "defaults only")]
    running = _running(deployment, found)
    found.append(_descriptors(deployment, running))
    facts = await ask(deployment, running.redis_url if running is not None else "")
    found += checks.store(facts)
    if (apart := of_leases(deployment)) is not None:
        found += [one for server in await ask_leases(apart) for one in checks.leases(server)]
    found.append(checks.people(facts.admins))
    if running is not None:
        found += checks.reach("service", await reaching.reach(running.public_url, site, local=True), at_a_proxy=False)
        found.append(checks.readiness(*await reaching.readiness(running.ops_url)))
    found.append(checks.public_address(public))
    if public:
        reached = await reaching.reach(public, site, local=False)
        found += checks.reach("public address", reached, at_a_proxy=True)
        if (one := checks.certificate("certificate of the public address", reached)) is not None:
            found.append(one)
    if server.certificate:
        found.append(_own_certificate(deployment, server))
    found += checks.origins(origins)
    for url in pages:
        fetched = await reaching.fetch(url)
        found += page_checks.page(fetched, policy.read(fetched.html, fetched.url), origins, public)
    return found


def _running(deployment: Deployment, found: list[Finding]) -> RunFile | None:
    try:
        running = runfile.read(deployment.data_dir)
    except OSError as error:
        why = f"{deployment.data_dir}: {error.strerror}"
        found.append(unknown("service", why, "run this as the user that runs the service"))
        return None
    if running is None:
        what = f"none runs on {deployment.data_dir}"
        found.append(bad("service", what, "start it with 'loa serve', or name another with --data-dir"))
    return running


def _descriptors(deployment: Deployment, running: RunFile | None) -> Finding:
    """Of the service where one runs and this user may look, else what it would have if started from here."""
    gateway = deployment.section(GatewaySettings)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if running is not None and sys.platform == "linux":
        try:
            _, hard = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)
        except OSError:
            return unknown("descriptors", "the service is another user's", "run this as the user that runs the service")
    allowed = -1 if hard == resource.RLIM_INFINITY else hard
    return checks.descriptors(allowed, gateway.sessions_per_worker, gateway.other_connections, SPARE_DESCRIPTORS)


def _own_certificate(deployment: Deployment, server: ServerSettings) -> Finding:
    base = deployment.file.absolute().parent if deployment.file is not None else Path.cwd()
    path = base / server.certificate
    try:
        ends = certificate.end_of(certificate.first_of(path.read_text("ascii")))
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "is no PEM certificate"
        return bad("certificate", f"{path}: {why}", "see server.certificate")
    days = (ends - datetime.now(UTC)) / timedelta(days=1)
    reached = checks.Reached(url=str(path), certificate_days=days)
    return checks.certificate("certificate", reached) or unknown("certificate", str(path), "")


def _tell(found: list[Finding], options: Mapping[str, Any]) -> None:
    """Prints the findings; ends the command with 1 if one is bad."""
    failed = any(one.level == "bad" for one in found)
    if options.get("as_json"):
        document = {"well": not failed, "findings": found}
        click.echo(msgspec.json.format(msgspec.json.encode(document)))
    else:
        _table(found)
    if failed:
        sys.exit(1)


def _table(found: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for one in found:
        word = f"[{_COLOURS[one.level]}]{_WORDS[one.level]}[/]"
        told = escape(printable(one.found))
        if one.remedy:
            told += f"\n→ {escape(printable(one.remedy))}"
        table.add_row(word, escape(one.check), told)
    Console(highlight=False, emoji=False).print(table)
    counts = {level: sum(one.level == level for one in found) for level in _WORDS}
    click.echo(", ".join(f"{number} {_WORDS[level].lower()}" for level, number in counts.items() if number))
