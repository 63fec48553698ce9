"""The door: what it says of commands without reading them is what they say themselves."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.shell_completion import CompletionItem
from click.testing import CliRunner

from loa import COMMANDS, root

LISTED = {name: place for places in COMMANDS.values() for name, place in places.items()}
# Reading any of these is what takes long.
HEAVY = {"aiohttp", "asyncio", "redis", "rich", "jinja2", "server"}


@pytest.mark.parametrize("name", LISTED)
def test_a_command_is_where_it_is_said_to_be_and_for_what(name: str) -> None:
    context = click.Context(root)
    command = root.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert not command.hidden
    assert command.get_short_help_str(limit=1000) == LISTED[name].purpose


def test_each_is_listed_once_and_in_whole() -> None:
    assert len(LISTED) == sum(len(places) for places in COMMANDS.values())
    said = CliRunner().invoke(root, ["--help"], terminal_width=80).output
    words = " ".join(said.split())
    for about, places in COMMANDS.items():
        assert f"\n{about}:\n" in said
        for name, place in places.items():
            assert f" {name} {place.purpose}" in words
    assert "worker" not in said


def test_the_worker_is_known_to_the_supervisor_alone() -> None:
    worker = root.get_command(click.Context(root), "worker")
    assert worker is not None
    assert worker.hidden


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["annuonce"]])
def test_what_needs_no_command_reads_none(line: list[str]) -> None:
    asked = f"""
import contextlib, sys, loa
sys.argv = {["loa", *line]!r}
with contextlib.suppress(SystemExit):
    loa.main()
print(*{HEAVY!r} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == ""


def test_a_mistyped_command_is_one_line() -> None:
    loa = [sys.executable, "-m", "loa"]
    done = subprocess.run([*loa, "annuonce"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "loa: No such command 'annuonce'. Did you mean 'announce'? 'loa --help' shows what it takes.\n"
    )
    done = subprocess.run([*loa, "xyz"], check=False, capture_output=True, text=True)
    assert done.stderr == "loa: No such command 'xyz'. 'loa --help' shows what it takes.\n"


def test_names_are_completed_with_what_they_are_for() -> None:
    found = root.shell_complete(click.Context(root), "re")
    assert [(one.value, one.help) for one in found] == [
        (name, LISTED[name].purpose) for name in ("restore", "reach", "recall")
    ]
    options = root.shell_complete(click.Context(root), "--")
    assert all(isinstance(one, CompletionItem) for one in options)
    assert "--help" in [one.value for one in options]
