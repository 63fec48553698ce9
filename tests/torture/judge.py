"""Holds what editors were answered against what the store holds and what browsers show. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """One act that was acknowledged: which revision of what it wrote, at which version of the log."""

    id: str
    revision: int
    version: int
    status: str
    title: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of the log, and what it says of itself."""

    version: int
    chain: str
    payload: bytes
    id: str
    revision: int
    status: str
    title: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when all is quiet.

    Attributes:
        wishes: The titles that editors wanted published, each once.
        answers: All acknowledgements, those of repeated requests too.
        epoch: Of the log.
        log: All of it.
        state: What the store says of each announcement: revision and status.
        views: What each browser shows, by its name.
    """

    wishes: Sequence[str]
    answers: Sequence[Answer]
    epoch: str
    log: Sequence[Written]
    state: Mapping[str, tuple[int, str]]
    views: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def judge(evidence: Evidence) -> list[str]:
    """What is wrong; empty as it should be."""
    return [
        *_gaps(evidence),
        *_lost(evidence),
        *_twice(evidence),
        *_undone(evidence),
        *_views(evidence),
    ]


def live(evidence: Evidence) -> dict[str, int]:
    """What every browser has to show: ids and revisions."""
    return {id: revision for id, (revision, status) in evidence.state.items() if status == "live"}


def _gaps(evidence: Evidence) -> list[str]:
    """Versions count from one without a gap, and each carries the hash over all before it."""
    wrong = []
    chain = hashlib.sha1(evidence.epoch.encode(), usedforsecurity=False).hexdigest()
    for expected, entry in enumerate(evidence.log, 1):
        if entry.version != expected:
            wrong.append(f"version {expected} is missing: {entry.version} comes instead")
            break
        link = f"{chain}|{entry.id}|{entry.revision}|".encode() + entry.payload
        chain = hashlib.sha1(link, usedforsecurity=False).hexdigest()
        if entry.chain != chain:
            wrong.append(f"version {expected} does not follow from what is before it")
            break
    return wrong


def _lost(evidence: Evidence) -> list[str]:
    """What was acknowledged is in the log, as it was acknowledged; and has not gone from the state."""
    by_version = {entry.version: entry for entry in evidence.log}
    wrong = []
    for answer in evidence.answers:
        entry = by_version.get(answer.version)
        said = (answer.id, answer.revision, answer.status, answer.title)
        if entry is None:
            wrong.append(f"acknowledged and lost: {said} at version {answer.version}")
        elif (entry.id, entry.revision, entry.status, entry.title) != said:
            wrong.append(f"acknowledged as {said}, but version {answer.version} is {entry}")
        elif evidence.state.get(answer.id, (0, ""))[0] < answer.revision:
            wrong.append(f"acknowledged and gone from the state: {said}")
    return wrong


def _twice(evidence: Evidence) -> list[str]:
    """Each wish has become one announcement, each revision one entry; what was repeated got the first answer again."""
    wrong = []
    published = Counter(entry.title for entry in evidence.log if entry.revision == 1)
    for title in evidence.wishes:
        if published[title] != 1:
            wrong.append(f"published {published[title]} times: {title}")
    if strangers := set(published) - set(evidence.wishes):
        wrong.append(f"nobody wanted {sorted(strangers)}")
    revisions = Counter((entry.id, entry.revision) for entry in evidence.log)
    wrong += [f"written {number} times: {one}" for one, number in revisions.items() if number > 1]
    first = Counter(answer.version for answer in evidence.answers if not answer.replayed)
    wrong += [f"carried out {number} times: version {version}" for version, number in first.items() if number > 1]
    return wrong


def _undone(evidence: Evidence) -> list[str]:
    """The state is what the log says last."""
    last = {entry.id: (entry.revision, entry.status) for entry in evidence.log}
    differing = set(last.items()) ^ set(evidence.state.items())
    return [f"log and state differ in {sorted(differing)}"] if differing else []


def _views(evidence: Evidence) -> list[str]:
    wanted = live(evidence)
    return [
        f"{name} shows {len(view)} and not {len(wanted)}: {sorted(set(view.items()) ^ set(wanted.items()))[:5]}"
        for name, view in evidence.views.items()
        if dict(view) != wanted
    ]
