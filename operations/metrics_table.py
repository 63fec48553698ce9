"""All metrics as a table for the documentation: ``python -m operations.metrics_table``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from operations.figures import HISTOGRAMS, Histogram, WorkerFigures, WorkerReport
from operations.metrics import NodeFigures, exposition

# Labels of the exposition format itself.
_OF_THE_FORMAT = {"le"}


def complete() -> WorkerReport:
    """A worker of which every figure has a value, so that every metric has all its labels."""
    filled: dict[str, Any] = {}
    for field in msgspec.structs.fields(WorkerFigures):
        if field.name in HISTOGRAMS:
            filled[field.name] = Histogram.over([1.0])
        elif field.default_factory is dict:
            filled[field.name] = {"x": {"x": 1}} if field.name in {"apart", "states"} else {"x": 1}
    return WorkerReport(0, 1, True, 0, WorkerFigures(**filled))


def families() -> list[Metric]:
    """Every metric, in the order of the exposition."""
    text, _ = exposition([complete()], NodeFigures(store_up=True, store_restarts=0, ready=True), "")
    return [*text_string_to_metric_families(text.decode())]


def markdown() -> str:
    """The table."""
    return "\n".join(["| metric | kind | labels | what |", "|---|---|---|---|", *_rows(families())]) + "\n"


def _rows(found: Iterable[Metric]) -> Iterable[str]:
    for family in found:
        # As one asks for it: a counter ends in _total in the text format too.
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = dict.fromkeys(label for sample in family.samples for label in sample.labels)
        shown = ", ".join(f"`{label}`" for label in labels if label not in _OF_THE_FORMAT)
        yield f"| `{name}` | {family.type} | {shown} | {family.documentation} |"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201
