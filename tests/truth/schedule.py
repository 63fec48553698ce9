"""What readers do and what is broken, when: all drawn from one seed. Pure.

Times are seconds since the begin of the run. A schedule says what is tried; a busy machine does it later, and the
history has the instants at which it was done. Busy times alternate with lulls in which nothing happens for so long
that every number has to become exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from tests.truth.history import STORE, Place

# How often, of a hundred things that present readers do.
ACTS = {"tab": 9, "share": 8, "move": 25, "turn": 25, "close": 18, "reload": 7, "abort": 4, "vanish": 4}
# Most tabs a reader has open at a time.
TABS = 3
# How often a present or absent reader does anything, in seconds.
PAUSE_SECONDS = 4.0
# Longer than freshness_seconds, so that there is a time in which only one value is right.
BUSY_SECONDS, LULL_SECONDS = 20.0, 9.0
FAULTS = ("kill", "freeze", "clock", "stop", "empty", "hang")
SECTIONS = ("thoi-su", "kinh-te", "the-thao")
PAGES = (*(Place(f"/{section}/{number}", section) for section in SECTIONS for number in (1, 2)), Place("/", ""))


class Act(NamedTuple):
    """One thing that happens.

    Attributes:
        at: When.
        kind: ``open``, ``share``, ``move``, ``turn``, ``close``, ``gone``, ``reload``, ``abort`` or ``vanish`` for
            readers; ``kill``, ``freeze``, ``stop``, ``empty``, ``hang`` or ``clock`` for faults.
        reader: Whose; -1 for faults.
        tab: Which of the reader's, counted from 0 over the run.
        worker: Where a tab opens, or what is broken; ``STORE``: the store.
        place: Where a tab opens or goes to.
        attention: What the reader turns to doing: 0 reads, 1 is idle, 2 has turned away.
        host: The tab whose connection a new one shares.
        seconds: How long a fault lasts, how far a clock is put forward, or how long a reload takes.
    """

    at: float
    kind: str
    reader: int = -1
    tab: int = 0
    worker: int = 0
    place: Place = PAGES[-1]
    attention: int = 0
    host: int = -1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large a run is.

    Attributes:
        seed: Decides everything.
        seconds: Until the last act.
        readers: How many there are; some are away at any time.
        workers: How many.
        faults: Which kinds, each at least once if there is time.
        lease: Of a reader, in seconds: freezes are shorter and longer than it.
        gap: Between the end of a fault and the next, in seconds.
    """

    seed: int
    seconds: float
    readers: int
    workers: int
    faults: tuple[str, ...] = FAULTS
    lease: float = 5.0
    gap: float = 4.0


def schedule(plan: Plan) -> list[Act]:
    """The acts of a run, in order of time."""
    random = Random(plan.seed)
    whole, rest = divmod(plan.seconds, BUSY_SECONDS + LULL_SECONDS)
    busy = replace(plan, seconds=whole * BUSY_SECONDS + min(rest, BUSY_SECONDS))
    acts = [act for reader in range(plan.readers) for act in _life(busy, reader, Random(f"{plan.seed}/{reader}"))]
    acts += _faults(busy, random)
    return sorted(act._replace(at=act.at + LULL_SECONDS * (act.at // BUSY_SECONDS)) for act in acts)


def _life(plan: Plan, reader: int, random: Random) -> list[Act]:
    """What one reader does, from away to away."""
    acts: list[Act] = []
    tabs: list[int] = []
    # Of those that share a connection, whose.
    hosts: dict[int, int] = {}
    opened = 0
    # Most are there soon.
    now = random.uniform(0, min(3.0, plan.seconds / 4)) if random.random() < 0.7 else random.uniform(0, plan.seconds)

    def act(kind: str, tab: int, **more: object) -> None:
        acts.append(Act(now, kind, reader, tab, **more))  # type: ignore[arg-type]

    while now < plan.seconds:
        kind = random.choices([*ACTS], [*ACTS.values()])[0] if tabs else "open"
        tab = random.choice(tabs) if tabs else -1
        if kind == "open" or (kind == "tab" and len(tabs) < TABS):
            act("open", opened, worker=random.randrange(plan.workers), place=random.choice(PAGES))
            tabs.append(opened)
            opened += 1
        elif kind == "share" and len(tabs) < TABS:
            host = hosts[opened] = hosts.get(tab, tab)
            act(kind, opened, host=host, place=random.choice(PAGES))
            tabs.append(opened)
            opened += 1
        elif kind == "move":
            act(kind, tab, place=random.choice(PAGES))
        elif kind == "turn":
            act(kind, tab, attention=random.randrange(3))
        elif kind in ("close", "abort", "vanish", "reload"):
            # Who shares a connection goes with it; one of those that share can only be closed.
            guests = [one for one in tabs if hosts.get(one) == tab]
            if kind == "reload" and tab not in hosts:
                # The page is turned: the old connection goes, a new one comes a moment later, on any worker.
                wait = random.uniform(0, 0.3)
                act(kind, tab, worker=random.randrange(plan.workers), place=random.choice(PAGES), seconds=wait)
                tabs = [one for one in tabs if one not in guests]
            else:
                act("gone" if tab in hosts else kind, tab)
                tabs = [one for one in tabs if one != tab and one not in guests]
        now += random.expovariate(1 / PAUSE_SECONDS)
    return acts


def _faults(plan: Plan, random: Random) -> list[Act]:
    """One after the other, each kind once before any comes again."""
    acts: list[Act] = []
    kinds: list[str] = []
    now = min(4.0, plan.seconds / 4)
    while plan.faults:
        if not kinds:
            kinds = random.sample(plan.faults, len(plan.faults))
        kind = kinds.pop()
        worker = random.randrange(plan.workers)
        seconds = 0.0
        if kind == "freeze":
            seconds = random.choice([random.uniform(0.2, 0.6), random.uniform(1.3, 2.0)]) * plan.lease
        elif kind in ("stop", "empty", "hang"):
            worker = STORE
            # A server that is back before a command has failed is another case than one that stays away.
            seconds = random.choice([0.0, random.uniform(0.05, 1.0)]) * plan.lease
        elif kind == "clock":
            seconds = random.choice([-3600.0, 3600.0])
        lasts = 0.0 if kind == "clock" else seconds
        if now + lasts > plan.seconds:
            break
        acts.append(Act(now, kind, -1, 0, worker, seconds=seconds))
        now += lasts + plan.gap + random.uniform(0, plan.gap)
    return acts
