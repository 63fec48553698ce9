"""``loa snippet``: the lines to paste into a portal's theme, and where, for the systems that portals are made with.

It needs no running service: it joins the widget as the service would and so knows its hash. What it says of a system is
about that system's theme files and settings only, in ``templates/snippet.<language>.txt``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import click

from gateway import widget
from gateway.sites import SiteSettings
from gateway.templates import environment
from gateway.widget import Widget
from operations.address import of_web
from operations.settings import ServerSettings
from settings.commandline import Command, Deployment, Failure

SYSTEMS = ("html", "nukeviet", "dnn", "wordpress", "joomla")

_TEMPLATES = environment("operations", keep_trailing_newline=True)


class Address(click.ParamType[str]):
    """Where browsers reach the service, without a slash at the end."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See :class:`click.ParamType`."""
        text = str(value)
        parts = of_web(text)
        if parts is None or parts.query or parts.fragment or set(text) & set(" \t\r\n\"'<>\\`{};,"):
            self.fail(f"{text!r} is not of the form https://loa.example.vn", param, ctx)
        return text.rstrip("/")


def command(joined: Callable[[], Widget]) -> click.Command:
    """The command.

    Args:
        joined: Makes the widget as this release serves it.
    """

    @click.command(cls=Command)
    @click.option("--site", default="demo", show_default=True, help="Which portal.")
    @click.option(
        "--for", "system", type=click.Choice(SYSTEMS), default="html", show_default=True, help="What it is made with."
    )
    @click.option(
        "--url", type=Address(), help="How browsers reach the service.  [default: server.public_url of the settings]"
    )
    @click.option("--pinned", is_flag=True, help="Name this version of the script by its hash, so that no other runs.")
    @click.option(
        "--lang", type=click.Choice(["vi", "en"]), help="Language of the explanations.  [default: the site's language]"
    )
    @click.pass_obj
    def snippet(
        deployment: Deployment, /, *, site: str, system: str, url: str | None, pinned: bool, lang: str | None
    ) -> None:
        """Print the lines to paste into a portal's pages, and where."""
        sites: dict[str, SiteSettings] = getattr(deployment.settings, "sites", {})
        if site not in sites:
            named = f"they name {', '.join(sites)}" if sites else "they name none"
            raise Failure(f"there is no site {site!r} in the settings; {named}")
        server = deployment.section(ServerSettings)
        base = url or server.public_url.rstrip("/")
        if not base:
            base = local(server)
            click.echo(f"loa: only this machine reaches {base}; give --url, or set server.public_url", err=True)
        lines = text(site, sites[site], system=system, base=base, language=lang, pinned=joined() if pinned else None)
        click.echo(lines, nl=False)

    return snippet


def local(server: ServerSettings) -> str:
    """The address on this machine, where the settings say no other."""
    return server.local_url(server.port or 8080)


def text(
    id: str, site: SiteSettings, *, system: str, base: str, language: str | None = None, pinned: Widget | None = None
) -> str:
    """All that is printed.

    Args:
        id: Of the site.
        site: Its settings.
        system: One of SYSTEMS.
        base: How browsers reach the service, without a slash at the end.
        language: Of the explanations and the picture, None for the site's.
        pinned: The version to pin, None for whatever is the newest.
    """
    language = language or site.language
    parts = urlsplit(base)
    return _TEMPLATES.get_template(f"snippet.{language}.txt").render(
        id=id,
        site=site,
        system=system,
        base=base,
        language=language,
        pinned=pinned,
        script=widget.address(pinned) if pinned else "/widget.js",
        origin=f"{parts.scheme}://{parts.netloc}",
        socket=f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}",
        lines=_TEMPLATES.get_template("snippet.html").module,
    )
