from __future__ import annotations

import re
from pathlib import Path

import msgspec

from operations.figures import WorkerFigures
from operations.metrics_table import complete, families, markdown

RUNNING = Path(__file__).resolve().parents[2] / "docs" / "running.md"
# Who and where, by which there are at most a few hundred series each; nothing that readers could add to.
LABELS = {"worker", "site", "state", "transport", "outcome", "code", "why", "le", "version", "python"}


def test_every_metric_is_documented_as_it_is() -> None:
    """Regenerate with ``python -m operations.metrics_table`` and put it into docs/running.md."""
    assert markdown() in RUNNING.read_text("utf-8")


def test_every_figure_of_a_worker_is_in_a_metric() -> None:
    # What readiness says is told by loa_ready; what is stale, by loa_readers_stale.
    told_otherwise = {"unready", "stale"}
    source = (Path(__file__).resolve().parents[2] / "operations" / "metrics.py").read_text("utf-8")
    missing = (
        {
            name
            for name in WorkerFigures.__struct_fields__
            if f'"{name}"' not in source and f"figures.{name}" not in source
        }
        - told_otherwise
        - {"online", "states"}
    )
    assert missing == set()


def test_labels_are_few() -> None:
    assert {label for family in families() for sample in family.samples for label in sample.labels} <= LABELS


def test_names_keep_the_conventions() -> None:
    """Those that ``promtool check metrics`` holds: help, base units, no reserved suffix, no type in a name."""
    for family in families():
        assert re.fullmatch(r"loa_[a-z][a-z_]*", family.name), family.name
        assert family.documentation, family.name
        assert not re.search(r"_(count|sum|bucket|total)$", family.name), family.name
        assert not re.search(r"(milli|micro)seconds|minutes|hours|kilobytes|megabytes|gauge|counter", family.name)
        if family.type == "counter":
            assert all(sample.name == f"{family.name}_total" for sample in family.samples)


def test_the_sample_is_complete() -> None:
    figures = complete().figures
    empty = [name for name, value in msgspec.structs.asdict(figures).items() if value in ({}, None)]
    assert empty == []
