"""What judges takes no part: the model and all below it know no clock, no loop and no socket."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PURE = ("spans", "steps", "history", "segments", "schedule", "model", "judge")
# What a pure module may import besides the others.
HARMLESS = {"__future__", "bisect", "collections", "dataclasses", "enum", "itertools", "math", "random", "typing"}


@pytest.mark.parametrize("name", PURE)
def test_it_imports_nothing_that_acts(name: str) -> None:
    tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text("utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    allowed = {f"tests.truth.{other}" for other in PURE}
    assert {module for module in imported if module.partition(".")[0] not in HARMLESS} <= allowed
