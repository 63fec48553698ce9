"""The rooms import only downwards, and pure modules touch neither network, loop nor clock."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]


def linted(*options: str) -> subprocess.CompletedProcess[str]:
    """The import linter's verdict on the house as it stands."""
    linter = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", linter, "--no-cache", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_contracts_are_kept() -> None:
    verdict = linted()
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in verdict.stdout


def test_a_breach_would_be_found(tmp_path: Path) -> None:
    """The same rules with one module more among the pure: the shell that certainly is none."""
    config = (ROOT / "pyproject.toml").read_text("utf-8")
    impure = config.replace('"gateway.handshake",', '"gateway.handshake", "gateway.session",')
    assert impure != config
    (tmp_path / "pyproject.toml").write_text(impure, "utf-8")
    verdict = linted("--config", str(tmp_path / "pyproject.toml"))
    assert verdict.returncode == 1, verdict.stdout
    assert "gateway.session -> asyncio" in verdict.stdout


@pytest.mark.parametrize("room", ["settings", "store", "gateway", "presence", "notifications", "operations"])
def test_every_room_is_held_to_the_layers(room: str) -> None:
    (layers,) = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
    assert any(room in layer.split(" | ") for layer in layers)


def test_what_an_error_says_is_asked_for_in_one_way() -> None:
    """`str` of a bare TimeoutError is empty: a log line would tell of a failure without a word why."""
    long_form = re.compile(r"or type\(\w+\)\.__name__|\bwhy=str\(")
    for room in ("presence", "notifications", "operations"):
        for path in (ROOT / room).rglob("*.py"):
            assert long_form.search(path.read_text("utf-8")) is None, path


def test_all_that_lies_in_the_rooms_is_installed() -> None:
    """Also where Loa is installed for good, as in the container: from a checkout everything is found anyway."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    rooms = [one.removesuffix("*") for one in settings["packages"]["find"]["include"]]
    assert {path.parent.name for path in ROOT.glob("*/py.typed")} == set(rooms)
    assert {path.stem for path in ROOT.glob("*.py")} == set(settings["py-modules"])
    data = settings["package-data"]["*"]
    for room in rooms:
        files = [path for path in (ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        packages = {path.parent for path in files if path.name == "__init__.py"}
        for path in files:
            if path.suffix == ".py":
                assert path.parent in packages, path
            else:
                package = next(parent for parent in path.parents if parent in packages)
                assert any(path.relative_to(package).match(pattern) for pattern in data), path
