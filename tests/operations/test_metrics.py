from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from operations.figures import Histogram, WorkerFigures, WorkerReport
from operations.metrics import NodeFigures, exposition

NODE = NodeFigures(store_up=True, store_restarts=2, ready=False)


def samples(*workers: WorkerReport, node: NodeFigures = NODE) -> dict[tuple[str, str], float]:
    text, _ = exposition(workers, node, "")
    return {
        (sample.name, ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def report(index: int, figures: WorkerFigures, restarts: int = 0) -> WorkerReport:
    return WorkerReport(index, 100 + index, True, restarts, figures)


def test_a_histogram_is_cumulative() -> None:
    found = samples(report(0, WorkerFigures(fanout=Histogram(edges=[0.1, 1.0], counts=[3, 2, 1], seconds=4.5))))
    assert found["loa_fanout_seconds_bucket", "le=0.1,worker=0"] == 3
    assert found["loa_fanout_seconds_bucket", "le=1.0,worker=0"] == 5
    assert found["loa_fanout_seconds_bucket", "le=+Inf,worker=0"] == 6
    assert found["loa_fanout_seconds_count", "worker=0"] == 6
    assert found["loa_fanout_seconds_sum", "worker=0"] == 4.5


def test_a_fresh_count_of_a_site_outranks_a_stale_one_and_none_is_added_up() -> None:
    stale = report(0, WorkerFigures(online={"demo": 5, "old": 3}, stale=["demo", "old"]))
    fresh = report(1, WorkerFigures(online={"demo": 9}))
    found = samples(stale, fresh)
    assert found["loa_readers", "site=demo"] == 9
    assert found["loa_readers_stale", "site=demo"] == 0
    assert found["loa_readers", "site=old"] == 3
    assert found["loa_readers_stale", "site=old"] == 1


def test_what_readers_do_is_told_by_whoever_tells_how_many_they_are() -> None:
    stale = report(0, WorkerFigures(online={"demo": 5}, states={"demo": {"reading": 5}}, stale=["demo"]))
    states = {"reading": 6, "idle": 2, "background": 1}
    found = samples(stale, report(1, WorkerFigures(online={"demo": 9}, states={"demo": states})))
    told = {labels: value for (name, labels), value in found.items() if name == "loa_readers_by_state"}
    assert told == {f"site=demo,state={state}": count for state, count in states.items()}


def test_sessions_that_are_no_readers_are_told_by_site_and_why() -> None:
    one = report(0, WorkerFigures(apart={"demo": {"robots": 3, "unanswered": 0}, "old": {"robots": 1}}))
    found = samples(one, report(1, WorkerFigures(apart={"demo": {"robots": 4}})))
    assert found["loa_sessions_apart", "site=demo,why=robots,worker=0"] == 3
    assert found["loa_sessions_apart", "site=demo,why=unanswered,worker=0"] == 0
    assert found["loa_sessions_apart", "site=old,why=robots,worker=0"] == 1
    assert found["loa_sessions_apart", "site=demo,why=robots,worker=1"] == 4


def test_the_nodes_own_figures() -> None:
    found = samples(report(0, WorkerFigures(), restarts=3), WorkerReport(1, None, False, 1, WorkerFigures()))
    assert found["loa_store_up", ""] == 1
    assert found["loa_store_restarts_total", ""] == 2
    assert found["loa_ready", ""] == 0
    assert found["loa_workers_ready", ""] == 1
    assert found["loa_worker_restarts_total", "worker=0"] == 3
    assert any(name == "loa_build_info" and "version=" in labels for name, labels in found)


def test_names_keep_the_conventions() -> None:
    text, content_type = exposition([report(0, WorkerFigures(handshakes={"accepted": 1}))], NODE, "")
    assert content_type.startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    for name, family in families.items():
        assert re.fullmatch(r"loa_[a-z_]+", name)
        assert family.documentation.endswith(".")
        assert (family.type == "histogram") <= name.endswith("_seconds")


def test_who_asks_for_openmetrics_gets_it() -> None:
    text, content_type = exposition([report(0, WorkerFigures())], NODE, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")
