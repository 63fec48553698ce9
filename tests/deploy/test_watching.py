"""Alert rules by promtool, and that rules and dashboard ask only for what Loa exposes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from operations.figures import Histogram, WorkerFigures, WorkerReport
from operations.metrics import NodeFigures, exposition
from tests.deploy.tools import DEPLOY, program

RULES = DEPLOY / "prometheus" / "loa.rules.yml"
TESTS = DEPLOY / "prometheus" / "loa.rules.test.yml"
DASHBOARD = DEPLOY / "grafana" / "loa.json"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel.get("targets", []))


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """The names of all series, each with its labels."""
    once = Histogram(edges=[0.1], counts=[1, 1], seconds=1.0)
    figures = WorkerFigures(
        online={"demo": 1},
        fanout=once,
        redis=once,
        loop_lag=once,
        apart={"demo": {"robots": 1}},
        **{
            name: {"x": 1}
            for name in (
                "handshakes",
                "closes",
                "page_views",
                "webhook_deliveries",
                "acks_ignored",
                "sessions",
                "transports",
                "readers",
            )
        },
    )
    node = NodeFigures(store_up=True, store_restarts=0, ready=True)
    text, _ = exposition([WorkerReport(0, 1, True, 0, figures)], node, "")
    found: dict[str, set[str]] = {"up": set()}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.slow
def test_the_rules_do_what_their_tests_say() -> None:
    promtool = program("promtool")
    for command in ("check", "test"):
        said = subprocess.run(
            [promtool, command, "rules", RULES if command == "check" else TESTS],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr


def test_each_rule_is_tested_and_says_what_to_do() -> None:
    tested = {
        one["alertname"]
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for one in test["alert_rule_test"]
        if one["exp_alerts"]
    }
    assert {rule["alert"] for rule in rules()} == tested
    assert all(rule["annotations"]["action"] for rule in rules())


def test_what_is_asked_for_is_exposed(exposed: dict[str, set[str]]) -> None:
    for expression in expressions():
        asked = set(re.findall(r"\b(?:loa_\w+|up)\b", expression))
        assert asked, expression
        assert asked <= set(exposed), expression
        # What it is grouped by is there: Prometheus itself adds the job and the instance.
        known = {"job", "instance"}.union(*(exposed[name] for name in asked))
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
            assert set(re.split(r",\s*", labels)) <= known, expression


def test_a_counter_is_asked_for_its_rate() -> None:
    for expression in expressions():
        for name in re.findall(r"\bloa_\w+_(?:total|bucket)\b", expression):
            assert re.search(rf"\b(rate|increase)\({name}\b", expression), expression


def test_the_dashboard_is_well_formed() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, f"{panel['title']} lies on another"
        assert all(x < 24 for x, _ in cells)
        taken |= cells
