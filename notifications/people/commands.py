"""``loa user``: who may sign in to the console, and what they may do there.

A password is typed at a prompt or read from stdin, never an argument: those stand in the shell's history and in the
list of processes for all to see. Whoever may run these commands may use the store, so they may do everything, also what
the console refuses, such as to disable the last admin.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import click

from gateway.instants import rfc3339
from gateway.sites import Sites
from notifications import client
from notifications.actor import OPERATOR
from notifications.people.errors import PeopleError
from notifications.people.passwords import Hasher
from notifications.people.register import Register
from notifications.people.rights import ANY_SITE, ROLES, Role
from notifications.people.user import (
    LANGUAGES,
    MAX_PASSWORD,
    Language,
    User,
    typed_name,
    wrong_full_name,
    wrong_name,
    wrong_password,
    wrong_roles,
)
from settings.commandline import Command, Deployment, Failure

_FROM_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from stdin, not at a prompt.")
_ROLE = click.option("--role", type=click.Choice(ROLES), help="What they may do on the sites of --site.")
_WHERE = "A site's id, or '*' for all; may be given several times."
_FULL_NAME = click.option("--full-name", default=None, help="As others see it.  [default: the name]")


@click.group()
def user() -> None:
    """Add, list, change and disable the people who use the console."""


@user.command("add", cls=Command)
@click.argument("name")
@_FULL_NAME
@_ROLE
@click.option("--site", "sites", multiple=True, help=f"{_WHERE}  [default: '*']")
@click.option("--language", type=click.Choice(LANGUAGES), default="vi", show_default=True, help="Of their console.")
@_FROM_STDIN
@click.pass_obj
def add(
    deployment: Deployment,
    name: str,
    *,
    full_name: str | None,
    role: Role | None,
    sites: tuple[str, ...],
    language: Language,
    password_stdin: bool,
) -> None:
    """Add the user NAME; the password is asked for."""
    name = typed_name(name)
    if wrong := wrong_name(name):
        raise Failure(f"a name {wrong}")
    if role is None:
        raise Failure(f"--role is missing: what may {name} do? One of {', '.join(ROLES)}")
    added = User(
        name=name,
        full_name=_full_name(full_name or name),
        roles=_roles(deployment, role, sites or (ANY_SITE,)),
        language=language,
    )
    password = _password(name, stdin=password_stdin)

    async def run() -> None:
        async with _register(deployment) as register:
            await register.add(added, await _hashed(password), OPERATOR)
        click.echo(f"{name}  added, {_told(added)}")

    asyncio.run(run())


@user.command("list", cls=Command)
@click.pass_obj
def show(deployment: Deployment) -> None:
    """List the users, one a line: name, whether they may come in, since when, roles, full name."""

    async def run() -> None:
        async with _register(deployment) as register:
            users = await register.list()
        for one in users:
            state = "disabled" if one.disabled else "enabled"
            full_name = client.printable(one.full_name)
            click.echo(f"{one.name:<16}  {state:<8}  {rfc3339(one.created_ms)[:10]}  {_told(one):<24}  {full_name}")

    asyncio.run(run())


@user.command("change", cls=Command)
@click.argument("name")
@click.option("--full-name", help="As others see it.")
@_ROLE
@click.option("--site", "sites", multiple=True, help=_WHERE)
@click.option("--no-role", "dropped", multiple=True, metavar="SITE", help="Take the role on this site, or '*', away.")
@click.pass_obj
def change(
    deployment: Deployment,
    name: str,
    *,
    full_name: str | None,
    role: Role | None,
    sites: tuple[str, ...],
    dropped: tuple[str, ...],
) -> None:
    """Change the full name of the user NAME, or their roles; those on other sites stay."""
    if role is None and sites:
        raise Failure("--site says where, --role is missing: what may they do there?")
    if role is not None and not sites:
        raise Failure(f"--role says what, --site is missing: where? {ANY_SITE!r} is everywhere")
    if role is None and full_name is None and not dropped:
        raise Failure("nothing to change: give --full-name, --role with --site, or --no-role")
    given = _roles(deployment, role, sites) if role is not None else {}

    async def run() -> None:
        async with _register(deployment) as register:
            present = await register.find(name)
            roles: dict[str, Role] = {**(present.roles if present is not None else {}), **given}
            for site in dropped:
                if roles.pop(site, None) is None:
                    raise Failure(f"{name} has no role on {client.printable(site)} to take away")
            if present is not None and not roles:
                raise Failure(f"{name} would have no role left; 'loa user disable {name}' keeps them out")
            changed = await register.change(
                name,
                OPERATOR,
                full_name=None if full_name is None else _full_name(full_name),
                roles=roles,
                last_admin_too=True,
            )
        click.echo(f"{name}  is now {_told(changed)}")

    asyncio.run(run())


@user.command("disable", cls=Command)
@click.argument("name")
@click.pass_obj
def disable(deployment: Deployment, name: str) -> None:
    """Keep the user NAME out: signed out everywhere at once, and not let in again."""
    _set_disabled(deployment, name, disabled=True)
    click.echo(f"{name}  disabled, and signed out everywhere")


@user.command("enable", cls=Command)
@click.argument("name")
@click.pass_obj
def enable(deployment: Deployment, name: str) -> None:
    """Let the user NAME in again, with the password and the roles they had."""
    _set_disabled(deployment, name, disabled=False)
    click.echo(f"{name}  enabled")


@user.command("password", cls=Command)
@click.argument("name")
@_FROM_STDIN
@click.pass_obj
def password(deployment: Deployment, name: str, *, password_stdin: bool) -> None:
    """Give the user NAME another password; they are signed out everywhere."""
    text = _password(name, stdin=password_stdin)

    async def run() -> None:
        async with _register(deployment) as register:
            await register.set_password(name, await _hashed(text), OPERATOR)
        click.echo(f"{name}  has a new password, and is signed out everywhere")

    asyncio.run(run())


@user.command("remove", cls=Command)
@click.argument("name")
@click.pass_obj
def remove(deployment: Deployment, name: str) -> None:
    """Remove the user NAME; the audit trail keeps what they did."""

    async def run() -> None:
        async with _register(deployment) as register:
            await register.remove(name, OPERATOR, last_admin_too=True)
        click.echo(f"{name}  removed")

    asyncio.run(run())


@asynccontextmanager
async def _register(deployment: Deployment) -> AsyncIterator[Register]:
    """The users of this deployment; what is refused is a failure of the command."""
    async with client.opened_store(deployment) as (redis, prefix):
        try:
            yield Register(redis, prefix)
        except PeopleError as error:
            raise Failure(client.printable(str(error))) from None


async def _hashed(password: str) -> str:
    hasher = Hasher(threads=1)
    try:
        return await hasher.hash(password)
    finally:
        hasher.close()


def _set_disabled(deployment: Deployment, name: str, *, disabled: bool) -> None:
    async def run() -> None:
        async with _register(deployment) as register:
            await register.change(name, OPERATOR, disabled=disabled, last_admin_too=True)

    asyncio.run(run())


def _full_name(text: str) -> str:
    if wrong := wrong_full_name(text.strip()):
        raise Failure(f"--full-name {wrong}")
    return text.strip()


def _roles(deployment: Deployment, role: Role, given: Sequence[str]) -> dict[str, Role]:
    sites: Sites = getattr(deployment.settings, "sites", {})
    roles = dict.fromkeys(given, role)
    if wrong := wrong_roles(roles, sites):
        raise Failure(f"--site: {client.printable(wrong[0].detail)}; there are {', '.join(sites) or 'none'}, and '*'")
    return roles


def _password(name: str, *, stdin: bool) -> str:
    if stdin:
        # A line's end is no part of it; more than the longest password is not read.
        text = sys.stdin.readline(MAX_PASSWORD + 3).rstrip("\r\n")
    elif sys.stdin.isatty():
        text = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
    else:
        raise Failure("there is no terminal to ask for the password on; give it with --password-stdin")
    if wrong := wrong_password(text, name):
        raise Failure(f"the password {wrong}")
    return text


def _told(user: User) -> str:
    return ", ".join(
        f"{role} on {'all sites' if site == ANY_SITE else site}" for site, role in sorted(user.roles.items())
    )
