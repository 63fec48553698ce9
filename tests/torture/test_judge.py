"""The judge finds each thing that must not be; so a run without a finding says something."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from tests.torture.judge import Answer, Evidence, Written, judge


def log_of(*entries: tuple[str, int, str, str]) -> tuple[Written, ...]:
    """A log without a fault, of ids, revisions, statuses and titles."""
    written, chain = [], hashlib.sha1(b"epoch", usedforsecurity=False).hexdigest()
    for version, (id, revision, status, title) in enumerate(entries, 1):
        payload = f"{id} {title}".encode()
        link = f"{chain}|{id}|{revision}|".encode() + payload
        chain = hashlib.sha1(link, usedforsecurity=False).hexdigest()
        written.append(Written(version, chain, payload, id, revision, status, title))
    return tuple(written)


LOG = log_of(("a", 1, "live", "A"), ("b", 1, "live", "B"), ("a", 2, "recalled", "A"), ("b", 2, "live", "B2"))
RECALLED = Answer("a", 2, 3, "recalled", "A", replayed=False)
GOOD = Evidence(
    wishes=("A", "B"),
    answers=(Answer("a", 1, 1, "live", "A", replayed=False), RECALLED, replace(RECALLED, replayed=True)),
    epoch="epoch",
    log=LOG,
    state={"a": (2, "recalled"), "b": (2, "live")},
    views={"socket 0": {"b": 2}},
)


def test_what_is_as_promised_is_not_blamed() -> None:
    assert judge(GOOD) == []


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        (replace(GOOD, log=LOG[:1] + LOG[2:]), "version 2 is missing"),
        (replace(GOOD, log=(*LOG[:3], replace(LOG[3], payload=b"forged"))), "does not follow"),
        (replace(GOOD, epoch="another"), "does not follow"),
        (replace(GOOD, answers=(replace(RECALLED, version=9),)), "acknowledged and lost"),
        (replace(GOOD, answers=(replace(RECALLED, title="C"),)), "but version 3 is"),
        (replace(GOOD, answers=(RECALLED, RECALLED)), "carried out 2 times"),
        (replace(GOOD, state={"b": (2, "live")}), "gone from the state"),
        (replace(GOOD, state={**GOOD.state, "b": (1, "live")}), "log and state differ"),
        (replace(GOOD, wishes=("A", "B", "C")), "published 0 times: C"),
        (replace(GOOD, wishes=("A",)), "nobody wanted"),
        (replace(GOOD, log=(*LOG, *log_of(("c", 1, "live", "A")))), "published 2 times: A"),
        (replace(GOOD, log=(*LOG, LOG[3])), "written 2 times"),
        (replace(GOOD, views={"poll 1": {"a": 1, "b": 2}}), "poll 1 shows 2 and not 1"),
        (replace(GOOD, views={"poll 1": {"b": 1}}), "poll 1 shows 1 and not 1"),
    ],
)
def test_each_fault_is_found(evidence: Evidence, word: str) -> None:
    assert any(word in wrong for wrong in judge(evidence)), judge(evidence)
