"""What ``loa top`` shows of a node, for a terminal of any width. Pure: a Node in, something rich can print out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from operations.hour import Event, Node, Sample

_BARS = " ▁▂▃▄▅▆▇█"
# A bar stands for so many samples, so that an hour is 60 wide.
_SAMPLES_A_BAR = 6
_EVENTS = 6


def number(value: float) -> str:
    """A whole number with its thousands apart; one with a decimal below ten that is none."""
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def duration(seconds: float) -> str:
    """Seconds, or thousandths."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.{0 if seconds >= 0.01 else 2}f} ms"


def memory(octets: float) -> str:
    """Millions of bytes."""
    return f"{octets / 1e6:,.0f} MB"


_FIGURES: Sequence[tuple[str, Callable[[Sample], float | None], Callable[[float], str]]] = (
    ("readers", lambda one: one.readers, number),
    ("connections", lambda one: one.sessions, number),
    ("deliveries a second", lambda one: one.deliveries, number),
    ("fan-out", lambda one: one.fanout_seconds, duration),
    ("canary", lambda one: one.canary_seconds, duration),
    ("Redis round trips", lambda one: one.redis_seconds, duration),
    ("Redis errors", lambda one: one.redis_errors, number),
    ("slow readers dropped", lambda one: one.stalled, number),
    ("loop lateness", lambda one: one.loop_lag_seconds, duration),
    ("memory", lambda one: one.resident_bytes, memory),
)


def screen(node: Node) -> RenderableType:
    """All of it."""
    state = Text("ready", "bold green") if not node.now.reasons else Text("NOT READY", "bold red")
    clock = _clock(node.now.at)
    head = Text.assemble(("Loa ", "bold"), node.version, " on ", node.host, "  ", state, f"  {clock}")
    reasons = [Text(f"  {reason}", "red") for reason in node.now.reasons]
    return Group(head, *reasons, _figures(node), _workers(node.now), _sites(node.now), _events(node.events))


def spark(values: Sequence[float | None]) -> str:
    """A bar for each value, against the highest; a dot where nothing was measured."""
    most = max((value for value in values if value is not None), default=0.0)
    return "".join(
        "·" if value is None else _BARS[0 if not most else max(1 if value else 0, round(8 * value / most))]
        for value in values
    )


def _figures(node: Node) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("", "left"), ("now", "right"), ("last hour", "left"), ("most", "right")):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name, read, write in _FIGURES:
        values = [read(one) for one in (*node.hour, node.now)]
        measured = [value for value in values if value is not None]
        now = values[-1]
        most = write(max(measured)) if measured else "–"
        table.add_row(
            name, Text(write(now) if now is not None else "–", "bold"), Text(spark(_bars(values)), "cyan"), most
        )
    return table


def _bars(values: Sequence[float | None]) -> list[float | None]:
    """The highest of so many together, the newest last."""
    bars: list[float | None] = []
    for end in range(len(values), 0, -_SAMPLES_A_BAR):
        some = [value for value in values[max(0, end - _SAMPLES_A_BAR) : end] if value is not None]
        bars.append(max(some, default=None))
    return bars[::-1]


def _workers(now: Sample) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("worker", "pid", "connections", "loop lateness", "canary", "processor", "memory", "restarts"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in now.workers:
        lag = one.loop_lag_seconds
        canary = one.canary_seconds if one.silence_seconds < 2 else one.silence_seconds
        table.add_row(
            str(one.index),
            str(one.pid) if one.pid is not None else "being replaced",
            number(one.sessions),
            duration(lag) if lag is not None else "–",
            duration(canary),
            f"{100 * one.busy:.0f} %",
            memory(one.resident_bytes),
            str(one.restarts),
            style=None if one.ready else "red",
        )
    return table


def _sites(now: Sample) -> RenderableType:
    told = "  ".join(f"{escape(site)} [bold]{number(count)}[/]" for site, count in now.sites.items())
    return Panel(told or "none yet", title="readers by site", title_align="left")


def _events(events: Sequence[Event]) -> RenderableType:
    lines = [f"{_clock(event.at)}  {escape(said(event))}" for event in events[:_EVENTS]]
    return Panel("\n".join(lines) or "nothing", title="what happened", title_align="left")


def said(event: Event) -> str:
    """An event in a sentence."""
    what = {
        "started": "Loa started",
        "worker_restarted": f"worker {event.worker} ended and was replaced",
        "store_lost": "Redis did not answer",
        "store_back": "Redis answers again",
        "store_restarted": "the store of our own ended and was started again",
        "slow_readers": f"{event.number} dropped for reading too slowly",
        "unready": "this node became unready",
        "ready": "this node became ready",
    }[event.kind]
    return f"{what}: {event.text}" if event.text else what


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
