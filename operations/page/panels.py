"""What the page shows of a node: which figures, each as a chart of an hour, and how numbers are written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, TypeAlias

from babel.numbers import format_decimal

from notifications.console.words import text
from notifications.people.user import Language
from operations.hour import Node, Sample
from operations.page.charts import Chart, Point, draw

SECONDS = 3600.0
# The axis is no longer than what there is to see, and no shorter than this.
SHORTEST_SECONDS = 600.0
_MEGABYTE = 1_000_000

Unit: TypeAlias = Literal["count", "rate", "seconds", "bytes"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn: its key, its name in English, where it is in a sample, and what it is measured in."""

    key: str
    title: str
    read: Callable[[Sample], float | None]
    unit: Unit


FIGURES: Sequence[Figure] = (
    Figure("readers", text("Readers"), lambda one: one.readers, "count"),
    Figure("sessions", text("Open connections"), lambda one: one.sessions, "count"),
    Figure("deliveries", text("Deliveries a second"), lambda one: one.deliveries, "rate"),
    Figure("fanout", text("Fan-out of announcements"), lambda one: one.fanout_seconds, "seconds"),
    Figure("canary", text("Canary, from publishing to arriving"), lambda one: one.canary_seconds, "seconds"),
    Figure("redis", text("Redis round trips"), lambda one: one.redis_seconds, "seconds"),
    Figure("errors", text("Redis errors in ten seconds"), lambda one: one.redis_errors, "count"),
    Figure("slow", text("Slow readers dropped in ten seconds"), lambda one: one.stalled, "count"),
    Figure("lag", text("Lateness of the latest event loop"), lambda one: one.loop_lag_seconds, "seconds"),
    Figure("memory", text("Memory of the workers"), lambda one: one.resident_bytes, "bytes"),
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with what stands around it, the numbers written out.

    Attributes:
        key: Names it within the page.
        title: In English; the name of the site where `site`.
        site: Whether it is of one site.
        chart: The drawing.
        now, least, most: The last value, and the extremes with their times; empty where nothing was measured.
    """

    key: str
    title: str
    site: bool
    chart: Chart
    now: str
    least: str
    least_at: str
    most: str
    most_at: str


class Panels:
    """Makes the panels of a page.

    Args:
        language: In which numbers are written.
        zone: In which times are.
    """

    def __init__(self, language: Language, zone: tzinfo) -> None:
        self._language = language
        self._zone = zone

    def of_node(self, node: Node) -> list[Panel]:
        """A panel for each of ``FIGURES``."""
        return [self._panel(node, figure, site=False) for figure in FIGURES]

    def of_sites(self, node: Node, sites: Sequence[str]) -> list[Panel]:
        """The readers of those of `sites` that have most now; a site that was not among them then has a gap."""
        shown = [site for site in node.now.sites if site in sites]
        return [
            self._panel(node, Figure(f"site-{site}", site, _readers_of(site), "count"), site=True) for site in shown
        ]

    def written(self, value: float | None, unit: Unit) -> str:
        """A value with its unit."""
        if value is None:
            return "–"
        match unit:
            case "count":
                return self._number(value, "#,##0")
            case "rate":
                return self._number(value, "#,##0" if value >= 10 or value == 0 else "0.0")
            case "bytes":
                return f"{self._number(value / _MEGABYTE, '#,##0')} MB"
            case "seconds":
                return self._duration(value)

    def clock(self, at: float) -> str:
        """Hour and minute."""
        return datetime.fromtimestamp(at, self._zone).strftime("%H:%M")

    def _duration(self, seconds: float) -> str:
        if seconds >= 1:
            return f"{self._number(seconds, '#,##0.#')} s"
        thousandths = seconds * 1000
        return f"{self._number(thousandths, '0' if thousandths >= 10 or thousandths == 0 else '0.##')} ms"

    def _number(self, value: float, pattern: str) -> str:
        return format_decimal(value, pattern, locale=self._language)

    def _panel(self, node: Node, figure: Figure, *, site: bool) -> Panel:
        points = [Point(one.at, figure.read(one)) for one in (*node.hour, node.now)]
        chart = draw(
            points,
            until=node.now.at,
            seconds=min(SECONDS, max(SHORTEST_SECONDS, node.now.at - points[0].at)),
            period_seconds=node.period_seconds,
            label=lambda value: self.written(value, figure.unit),
            clock=self.clock,
            whole=figure.unit == "count",
        )
        least, most = chart.least, chart.most
        return Panel(
            key=figure.key,
            title=figure.title,
            site=site,
            chart=chart,
            now=self.written(figure.read(node.now), figure.unit),
            least=self.written(least.value, figure.unit) if least else "",
            least_at=self.clock(least.at) if least else "",
            most=self.written(most.value, figure.unit) if most else "",
            most_at=self.clock(most.at) if most else "",
        )


def _readers_of(site: str) -> Callable[[Sample], float | None]:
    return lambda one: one.sites.get(site)
