"""The door: the command line. It knows where each command is, and reads its module when it is used.

Reading all of Loa takes most of a second of a core. ``loa --help`` needs none of it, an editor's ``loa announce`` a
third, and a worker no commands.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, NoReturn, cast

import click
import msgspec
from click.exceptions import NoSuchCommand
from click.shell_completion import CompletionItem

from gateway.settings import GatewaySettings
from gateway.sites import SITE_ID, SiteSettings
from notifications.settings import NotificationsSettings
from operations.settings import OperationsSettings, ServerSettings
from presence.settings import PresenceSettings
from settings.commandline import Blueprint, run
from store.settings import RedisSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, one section a room; `config.toml` explains each."""

    server: ServerSettings = ServerSettings()
    gateway: GatewaySettings = GatewaySettings()
    sites: dict[str, SiteSettings] = {}
    redis: RedisSettings = RedisSettings()
    presence: PresenceSettings = PresenceSettings()
    notifications: NotificationsSettings = NotificationsSettings()
    operations: OperationsSettings = OperationsSettings()

    def __post_init__(self) -> None:
        """Refuses a site id that could not stand in an address or a key."""
        for site in self.sites:
            if SITE_ID.fullmatch(site) is None:
                raise ValueError(f"sites.{site}: an id is lower-case letters, digits and dashes, at most 64")


class Place(NamedTuple):
    """Where a command is, ``module:name``, and what it is for: the first sentence of its help."""

    where: str
    purpose: str


# What it is about, then the commands, as `loa --help` lists them.
COMMANDS: dict[str, dict[str, Place]] = {
    "The service": {
        "serve": Place("operations.commands:serve", "Run the service until Ctrl-C."),
        "top": Place("operations.top:top", "Show how the node does, every two seconds, until Ctrl-C."),
        "doctor": Place(
            "operations.doctor.commands:doctor",
            "Look at settings, store, service, certificate and pages, and say for each what to do.",
        ),
        "backup": Place(
            "operations.backup.commands:backup",
            "Write announcements, audit trail, users, tokens, webhooks and history into FILE.",
        ),
        "restore": Place(
            "operations.backup.commands:restore",
            "Put what `loa backup` has written into FILE back into an empty store.",
        ),
        "migrate": Place(
            "operations.backup.commands:migrate",
            "Bring the keys of an older release up to date, while no node runs.",
        ),
    },
    "Portals and their readers": {
        "snippet": Place("server:snippet", "Print the lines to paste into a portal's pages, and where."),
        "watch": Place(
            "notifications.watch:watch",
            "Follow the count and the announcements of a site, without being counted, until Ctrl-C.",
        ),
        "history": Place(
            "presence.history.commands:history",
            "Show readers, visits and page views of the past, or import those of an older counter.",
        ),
        "privacy": Place(
            "operations.privacy:privacy",
            "Print what the store holds about readers at this moment, key by key, with lifetimes.",
        ),
        "simulate": Place("presence.commands:simulate", "Open many real readers on this machine and keep them."),
    },
    "Announcements": {
        "announce": Place(
            "notifications.commands:announce",
            "Send an announcement to everybody who is reading now, and to those who come before it expires.",
        ),
        "reach": Place(
            "notifications.reach.commands:reach",
            "Say whom the announcement ID reached: open connections, and readers who saw, clicked and dismissed it.",
        ),
        "recall": Place("notifications.commands:recall", "Take the announcement ID back everywhere."),
        "discard": Place(
            "notifications.commands:discard",
            "Throw the announcement ID away, a draft or one that is scheduled: nobody has been told of it.",
        ),
        "cap": Place("notifications.cap.commands:cap", "Check and send messages of the Common Alerting Protocol 1.2."),
        "webhook": Place(
            "notifications.webhooks.commands:webhook",
            "Tell other systems what happens to announcements; let a CMS make them.",
        ),
    },
    "Who may": {
        "user": Place(
            "notifications.people.commands:user", "Add, list, change and disable the people who use the console."
        ),
        "token": Place("notifications.commands:token", "Make, list and revoke tokens for the API."),
        "audit": Place("notifications.audit_commands:audit", "Show, export and verify who did what."),
    },
}
_LISTED = {name: place for places in COMMANDS.values() for name, place in places.items()}
# What the supervisor starts, and nobody else.
_HIDDEN = {"worker": Place("server:work", "")}


class _Door(click.Group):
    """Lists the commands by what they are about, and reads a command's module when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that people use."""
        return list(_LISTED)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, read now."""
        place = (_LISTED | _HIDDEN).get(cmd_name)
        if place is None:
            return None
        module, _, name = place.where.partition(":")
        return cast(click.Command, getattr(import_module(module), name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; the nearest one is proposed for a name that there is not."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            raise NoSuchCommand(error.command_name, possibilities=_LISTED, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list, of which nothing has been read."""
        width = max(map(len, _LISTED))
        for about, places in COMMANDS.items():
            with formatter.section(about):
                formatter.write_dl([(f"{name:<{width}}", place.purpose) for name, place in places.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that begin so."""
        names = [CompletionItem(name, help=_LISTED[name].purpose) for name in _LISTED if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


@click.command(cls=_Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loa", prog_name="loa")
def root() -> None:
    """Loa tells a portal's readers how many they are, and what has just happened."""


def main() -> NoReturn:
    """The command line."""
    run(root, Blueprint(Settings, lambda settings: settings.server.data_dir))


if __name__ == "__main__":
    # By its own name, as the roof knows it: there is one struct of settings.
    import loa

    loa.main()
