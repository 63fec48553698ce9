"""The parts of the benchmark, one after the other, and how thoroughly each is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import TypeVar

import msgspec

from benchmarks import acks, announcing, draining, journey, leases, nodes, pushes, rendered, rounds, scopes

T = TypeVar("T")

PARTS = ("worker", "store", "scopes", "pushes", "announcements", "acks", "drain", "nodes")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured.

    Attributes:
        readers: With sockets.
        rounds: Of the parts that have several.
        idle_seconds: How long readers are watched that do nothing.
        leases: Readers of the sites that are held without sockets.
        stretch_seconds: How long each of these, and a number that changes, is watched.
        counts: Of each.
        sessions: To which counts are pushed.
        rendered: Announcements whose way into a browser is measured.
        shapes: Services, workers and readers that are held at a time.
    """

    readers: int
    rounds: int
    idle_seconds: float
    leases: tuple[int, ...]
    stretch_seconds: float
    counts: int
    sessions: tuple[int, ...]
    rendered: int
    shapes: tuple[nodes.Shape, ...]

    @property
    def most(self) -> int:
        """Sockets that one process opens."""
        # Of the part drain, two workers' readers.
        held = [one.readers // one.nodes for one in self.shapes]
        return max(int(2 * draining.RESTARTED_SHARE * self.readers), self.readers, *self.sessions, *held)


THOROUGH = Size(
    readers=10_000,
    rounds=5,
    idle_seconds=30.0,
    leases=(10_000, 100_000, 200_000),
    stretch_seconds=15.0,
    counts=500,
    sessions=(1_000, 10_000, 18_000),
    rendered=200,
    shapes=tuple(nodes.shapes(2 * nodes.PROCESS_READERS)),
)
QUICK = Size(
    readers=1_000,
    rounds=1,
    idle_seconds=2.0,
    leases=(500, 2_000),
    stretch_seconds=1.0,
    counts=20,
    sessions=(200,),
    rendered=5,
    shapes=(nodes.Shape(2, 2, 400),),
)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; of a part that was left out, nothing."""

    rounds: list[rounds.Round]
    journey: journey.Journey | None
    leases: list[leases.Leases]
    scopes: list[scopes.ScopesRound]
    pushes: list[pushes.Pushed]
    announcing: list[announcing.AnnouncingRound]
    rendered: rendered.Rendered | None
    acks: list[acks.Acks]
    drained: list[draining.Drained]
    held: list[nodes.Held]


def measurements(size: Size, parts: Collection[str]) -> int:
    """How many there are to be made."""
    several = {
        "worker": size.rounds,
        "store": 1 + len(size.leases),
        "scopes": size.rounds,
        "pushes": len(size.sessions),
        "announcements": size.rounds + 1,
        "acks": 1,
        "drain": 1,
        "nodes": len(size.shapes),
    }
    return sum(number for part, number in several.items() if part in parts)


def measure(
    plan: rounds.Plan, size: Size, parts: Collection[str], step: rounds.Step, advance: Callable[[], None]
) -> Measured:
    """Measures; `step` is told what is being done, `advance` when one measurement is.

    Raises:
        BenchmarkError: It cannot be measured.
    """

    settled = leases.Plan(seconds=size.stretch_seconds, counts=size.counts, cores=plan.cores)
    watched = msgspec.structs.replace(plan, idle_seconds=size.stretch_seconds)

    def several(part: str, measures: Iterable[Callable[[], T]]) -> list[T]:
        made = []
        for one in measures if part in parts else ():
            made.append(one())
            advance()
        return made

    def numbered(number: int) -> rounds.Step:
        return lambda doing: step(f"round {number}: {doing}")

    each_round = range(1, size.rounds + 1)
    return Measured(
        rounds=several("worker", [partial(rounds.run, plan, numbered(number)) for number in each_round]),
        journey=next(iter(several("store", [partial(journey.measure, plan, step)])), None),
        leases=several("store", [partial(_leases, settled, readers, step) for readers in size.leases]),
        scopes=several("scopes", [partial(scopes.run, plan, numbered(number)) for number in each_round]),
        pushes=several(
            "pushes",
            [
                partial(pushes.measure, msgspec.structs.replace(watched, readers=sessions), step)
                for sessions in size.sessions
            ],
        ),
        announcing=several("announcements", [partial(announcing.run, plan, numbered(number)) for number in each_round]),
        rendered=next(iter(several("announcements", [partial(rendered.measure, plan, size.rendered, step)])), None),
        acks=several("acks", [partial(acks.measure, plan, size.rounds, step)]),
        drained=several("drain", [partial(draining.measure, plan, step)]),
        held=several("nodes", [partial(nodes.measure, plan, shape, step) for shape in size.shapes]),
    )


def _leases(plan: leases.Plan, readers: int, step: rounds.Step) -> leases.Leases:
    return asyncio.run(leases.measure(plan, readers, step))
