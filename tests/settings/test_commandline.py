from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

from settings.commandline import Blueprint, Command, Deployment, Failure, run


class Here(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    data_dir: str = "data"
    number: int = 1


class House(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    here: Here = Here()


ROOT = Path(__file__).parents[2]
BLUEPRINT = Blueprint(House, lambda settings: settings.here.data_dir)


@click.group()
def root() -> None:
    """A command line."""


@root.command(cls=Command)
@click.option("--how", default="well")
@click.pass_obj
def act(deployment: Deployment, how: str) -> int | None:
    """Acts."""
    if how == "fails":
        raise Failure("it\nfails; do something")
    if how == "aborts":
        raise KeyboardInterrupt
    if how == "seven":
        return 7
    number = deployment.with_sections(Here(number=5)).section(Here).number
    click.echo(f"{deployment.data_dir} {deployment.section(Here).number} {number}")
    return None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is full")
def test_what_cannot_be_printed_is_said_in_one_line() -> None:
    code = "from tests.settings.test_commandline import BLUEPRINT, root, run; run(root, BLUEPRINT)"
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [sys.executable, "-c", code, "act"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            # An empty file: what stands beside the code is not of this house.
            env={"PYTHONPATH": str(ROOT), "LOA_CONFIG": os.devnull},
            check=False,
        )
    assert said.returncode == 1
    assert said.stderr.splitlines() == [
        "loa: stdout: No space left on device. What was asked for may have been carried out: "
        "look before you ask for it again"
    ]


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["loa", *words])
    with pytest.raises(SystemExit) as ended:
        run(root, BLUEPRINT)
    return ended.value.code


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works in an empty directory, without a default file to fall back on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("settings.commandline.DEFAULT_FILE", tmp_path / "none.toml")
    monkeypatch.delenv("LOA_CONFIG", raising=False)
    monkeypatch.delenv("LOA_DATA_DIR", raising=False)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["act", "--how", "fails"], 1, "loa: it fails; do something\n"),
        (["act", "--how", "aborts"], 130, "\n"),
        (["act", "--bogus"], 2, "loa: No such option '--bogus'. 'loa act --help' shows what it takes.\n"),
        (["bogus"], 2, "loa: No such command 'bogus'. 'loa --help' shows what it takes.\n"),
        (["act", "--config", "absent"], 1, "loa: absent: No such file or directory\n"),
        (["act", "--how", "seven"], 7, ""),
    ],
)
def test_an_error_is_one_line_and_a_status(
    words: list[str], status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, *words) == status
    assert capsys.readouterr().err == said


def test_without_a_command_it_says_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch) == 2
    assert "act" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["act", "--help"]])
def test_help_is_no_error(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert called(monkeypatch, *words) == 0


def test_a_commands_settings_are_those_of_the_file_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "loa.toml").write_text('[here]\nnumber = 2\ndata_dir = "store"\n')
    assert called(monkeypatch, "act", "--config", "etc/loa.toml") == 0
    # The data directory is relative to the file, so that a command finds it from anywhere.
    assert capsys.readouterr().out == f"{folder / 'store'} 2 5\n"


def test_the_file_in_the_working_directory_is_found_and_the_data_directory_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("[here]\nnumber = 3\n")
    assert called(monkeypatch, "act", "--data-dir", "other") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'other'} 3 5\n"


def test_the_environment_names_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("[here]\nnumber = 4\n")
    monkeypatch.setenv("LOA_CONFIG", str(tmp_path / "a.toml"))
    monkeypatch.setenv("LOA_DATA_DIR", str(tmp_path / "elsewhere"))
    assert called(monkeypatch, "act") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'elsewhere'} 4 5\n"


def test_a_refused_setting_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("[here]\nnumbr = 3\n")
    assert called(monkeypatch, "act") == 1
    assert capsys.readouterr().err == (
        "loa: config.toml: here.numbr: no such setting; see config.toml for all of them\n"
    )
