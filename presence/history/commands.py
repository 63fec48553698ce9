"""``loa history``: shows what was, and takes in the numbers of an older counter (``loa history import``).

Both speak to the store, as the service on this machine uses it; the service itself is not asked and notices nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import click
import msgspec
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from gateway.instants import EPOCH
from gateway.sites import SiteSettings
from presence.history.answers import as_csv, as_json
from presence.history.chronicle import Chronicle
from presence.history.days import DayPoint, day_points, days_between
from presence.history.oldcounter import MOST_BYTES, BadLine, Imported, parse
from presence.history.series import HOUR_MS, KEPT_DAYS, MINUTE_MS, Point, Resolution, floor, points
from presence.history.window import DAY_MS, Window, instant, window
from presence.parameters import Refused
from settings.commandline import Command, Deployment, Failure
from store.connection import connect, without_password
from store.refusal import failure
from store.running import running
from store.settings import RedisSettings

By: TypeAlias = Literal["minute", "hour", "day"]
Format: TypeAlias = Literal["table", "json", "csv"]

# What is shown where nobody says.
USUAL_MS: dict[By, int] = {"minute": 60 * MINUTE_MS, "hour": 24 * HOUR_MS, "day": 14 * DAY_MS}
MOST_DAYS = 20 * 366
_BAR = 30
_GAP = "–"

_SITE = click.option("--site", default="", help="Which portal.  [default: the only one of the settings]")


class History(click.Group):
    """Shows history where no other of its commands is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See :class:`click.Command`."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=History)
def history() -> None:
    """Show readers, visits and page views of the past, or import those of an older counter.

    `loa history --by day` is short for `loa history show --by day`.
    """


@history.command(cls=Command)
@_SITE
@click.option(
    "--by", type=click.Choice(["minute", "hour", "day"]), default="hour", show_default=True, help="What a line is."
)
@click.option(
    "--from",
    "begin",
    default="",
    help="2026-11-26 or 2026-11-26T09:00:00Z.  [default: an hour, a day or two weeks ago]",
)
@click.option("--to", "end", default="", help="The same; not included.  [default: now]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
@click.pass_obj
def show(deployment: Deployment, *, site: str, by: By, begin: str, end: str, form: Format) -> None:
    """Print how many readers there were: the peak and the mean of each minute or hour; of a day also visits and views.

    Minutes are kept for 14 days, hours for two years, days for ever. A dash, or nothing, is a gap in measuring, not 0.
    """
    portal = _portal(deployment, site)

    async def read() -> _Found:
        async with _chronicle(deployment) as chronicle:
            now_ms = await chronicle.now_ms()
            return await _read(chronicle, portal, by, (begin, end), now_ms)

    try:
        found = asyncio.run(read())
    except Refused as refused:
        raise Failure(f"--{refused.field}: {refused.detail}") from None
    if by != "day" and found.asked_ms < found.window.from_ms:
        # Beside what is read by programs, not in it.
        click.echo(_cut(by, found.window, portal.zone), err=True)
    if form == "table":
        _print_table(portal, by, found)
    else:
        for part in _written(portal, found, form):
            click.echo(part, nl=False)
        if form == "json":
            click.echo()


@history.command("import", cls=Command)
@click.argument("file", type=click.Path(allow_dash=True))
@_SITE
@click.option("--dry-run", is_flag=True, help="Only see whether it could be imported.")
@click.pass_obj
def import_(deployment: Deployment, file: str, *, site: str, dry_run: bool) -> None:
    """Take in FILE, the numbers of the counter that was there before; - is standard input.

    It has a line for each day, date,visits,views (2026-11-26,1200,4800), or a line total,visits,views with all that the
    old counter ever counted, or both. A bad line is named, and nothing is imported then. What was imported before is
    replaced, so the same file may be imported again; what was counted here stays and is added.
    """
    portal = _portal(deployment, site)
    name = "standard input" if file == "-" else file
    try:
        with click.open_file(file, "rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        imported = parse(_text(content), datetime.now(portal.zone).date())
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}; nothing was imported") from None
    except BadLine as bad:
        raise Failure(f"{name}: {bad}; nothing was imported") from None
    if dry_run:
        click.echo(f"{name} is sound: {_described(imported)}; nothing was imported")
        return

    async def replace() -> Imported:
        async with _chronicle(deployment) as chronicle:
            before = await chronicle.imported(portal.id)
            await chronicle.replace_imported(portal.id, imported)
            return before

    before = asyncio.run(replace())
    replaced = f"in place of {_described(before)} imported before" if before.fields() else "nothing was imported before"
    click.echo(f"imported for {portal.id}: {_described(imported)}; {replaced}")


class _Portal(NamedTuple):
    """Which site a command speaks of, and its time."""

    id: str
    zone: ZoneInfo


class _Found(NamedTuple):
    """What is to be shown: minutes or hours, or days.

    Attributes:
        asked_ms: From when it was asked for, which may be before what is kept.
    """

    asked_ms: int
    window: Window
    strings: dict[str, bytes]
    days: list[DayPoint] | None


def _portal(deployment: Deployment, site: str) -> _Portal:
    sites: dict[str, SiteSettings] = getattr(deployment.settings, "sites", {})
    if not site and len(sites) == 1:
        (site,) = sites
    if site not in sites:
        known = ", ".join(sites) or "none; the settings name them under [sites]"
        wrong = f"there is no site {site!r}" if site else "say which site with --site"
        raise Failure(f"{wrong}; there is {known}")
    return _Portal(site, ZoneInfo(sites[site].timezone))


@asynccontextmanager
async def _chronicle(deployment: Deployment) -> AsyncIterator[Chronicle]:
    settings = deployment.section(RedisSettings)
    url = settings.url or running(deployment).redis_url
    client = connect(settings, url, connections=1, name="loa-command")
    try:
        yield Chronicle(client, settings.prefix)
    except (RedisError, OSError) as error:
        raise Failure(f"the store at {without_password(url)} {failure(error)}") from None
    finally:
        await client.aclose()


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise Failure(f"the file is longer than {MOST_BYTES:,} bytes; nothing was imported")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadLine(content.count(b"\n", 0, error.start) + 1, "is not UTF-8 text") from None


def _described(imported: Imported) -> str:
    days = sorted(imported.days)
    span = f"{len(days):,} day{'s' if len(days) != 1 else ''} from {days[0]} to {days[-1]}" if days else "no days"
    return f"{span}, in all {imported.total.visits:,} visits and {imported.total.views:,} page views"


async def _read(chronicle: Chronicle, portal: _Portal, by: By, span: tuple[str, str], now_ms: int) -> _Found:
    begin, end = span
    zone = portal.zone
    if by != "day":
        start = begin or _when(max(0, (instant("to", end, zone) if end else now_ms) - USUAL_MS[by]), UTC)
        wanted = window(by, start, end, zone, now_ms)
        asked_ms = floor(by, instant("from", start, zone))
        return _Found(asked_ms, wanted, await chronicle.strings(portal.id, *wanted), None)
    to_ms = min(instant("to", end, zone) if end else now_ms, now_ms)
    from_ms = instant("from", begin, zone) if begin else to_ms - USUAL_MS[by] + DAY_MS
    if from_ms >= to_ms:
        raise Refused("from", "It must be before --to, and not in the future.")
    if to_ms - from_ms > MOST_DAYS * DAY_MS:
        raise Refused("from", f"At most {MOST_DAYS:,} days are shown at a time.")
    days = days_between(zone, from_ms, to_ms)
    wanted = Window("hour", days[0].starts_ms // HOUR_MS * HOUR_MS, -(-days[-1].ends_ms // HOUR_MS) * HOUR_MS)
    strings = await chronicle.strings(portal.id, *wanted)
    books = await chronicle.books(portal.id, [day.name for day in days])
    hours = points("hour", strings, wanted.from_ms, wanted.to_ms)
    return _Found(from_ms, wanted, strings, day_points(days, books.days, hours))


def _written(portal: _Portal, found: _Found, form: Format) -> Iterator[bytes]:
    if found.days is None:
        if form == "csv":
            return as_csv(found.window, found.strings)
        return as_json(portal.id, portal.zone.key, found.window, found.strings)
    if form == "csv":
        return iter(_csv_of_days(found.days))
    answer = {
        "site": portal.id,
        "timezone": portal.zone.key,
        "resolution": "day",
        "points": [one._asdict() for one in found.days],
    }
    return iter([msgspec.json.encode(answer)])


def _csv_of_days(days: Sequence[DayPoint]) -> list[bytes]:
    rows: list[Sequence[Any]] = [DayPoint._fields, *days]
    return [",".join("" if value is None else str(value) for value in row).encode() + b"\r\n" for row in rows]


def _print_table(portal: _Portal, by: By, found: _Found) -> None:
    rows: list[tuple[str, tuple[int | None, ...], int | None, float | None]]
    table = Table(box=None, pad_edge=False, caption=f"{portal.id}, {portal.zone.key}", caption_justify="left")
    table.add_column(by)
    if found.days is not None:
        rows = [(one.date, (one.visits, one.views), one.peak, one.mean) for one in found.days]
        table.add_column("visits", justify="right")
        table.add_column("page views", justify="right")
    else:
        every = points(found.window.resolution, found.strings, found.window.from_ms, found.window.to_ms)
        rows = [(_shown(one, portal.zone), (), one.peak, one.mean) for one in every]
    table.add_column("peak", justify="right")
    table.add_column("mean", justify="right")
    table.add_column("")
    highest = max([peak for _, _, peak, _ in rows if peak is not None], default=0) or 1
    for name, numbers, peak, mean in rows:
        bar = "█" * round(_BAR * peak / highest) if peak is not None else ""
        cells = [*map(_number, numbers), _number(peak), f"{mean:,.1f}" if mean is not None else _GAP]
        table.add_row(name, *cells, bar)
    # In a file or a pipe it is as wide as it needs to be.
    Console(width=None if sys.stdout.isatty() else 100, highlight=False).print(table)


def _cut(by: Resolution, shown: Window, zone: ZoneInfo) -> str:
    kept = f"{by}s are kept for {KEPT_DAYS[by]} days"
    further = "--by hour goes back two years" if by == "minute" else "--by day goes back to the first"
    if shown.from_ms == shown.to_ms:
        return f"Nothing is kept of then: {kept}; {further}."
    since = (EPOCH + timedelta(milliseconds=shown.from_ms)).astimezone(zone)
    return f"Shown from {since:%Y-%m-%d %H:%M} on: {kept}; {further}."


def _number(value: int | None) -> str:
    return f"{value:,}" if value is not None else _GAP


def _shown(point: Point, zone: ZoneInfo) -> str:
    return (EPOCH + timedelta(milliseconds=point.at_ms)).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _when(at_ms: int, zone: Any) -> str:
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).isoformat(timespec="milliseconds")
