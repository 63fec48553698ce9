"""The commands as an operator runs them: on a file alone, and against a service on a real socket."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result
from redis.asyncio import Redis

from notifications.cap.commands import cap
from settings.commandline import Blueprint
from tests.notifications.cap.files import SENDER, SENT, alert, cancel, info, update
from tests.notifications.cap.service import serving_cap
from tests.notifications.test_commands import Sections, Terminal


def check(directory: Path, data: bytes, *options: str) -> Result:
    """Runs ``loa cap check`` on a file of `data`."""
    config = directory / "config.toml"
    config.write_text("")
    line = ["cap", "check", "-", "--config", str(config), *options]
    loa = click.Group(commands={"cap": cap})
    return CliRunner().invoke(loa, line, input=data, obj=Blueprint(Sections, lambda settings: "data"))


def test_says_what_would_become_of_it(tmp_path: Path) -> None:
    inner = "<area><areaDesc>Quan Hóa</areaDesc></area>"
    said = check(tmp_path, alert(info(inner), info(language="en", headline="Flood", web="https://a.vn/")))
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        f"valid: Alert {SENDER},VN-7,{SENT}, Actual, Public",
        "would become emergency, at once",
        "  until: 3600 s after it goes live",
        "  title (vi): Lũ lên nhanh",
        "  title (en): Flood",
        "  areas: Quan Hóa",
    ]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (update(), f"would change what {SENDER},VN-7,{SENT} has become, to emergency"),
        (cancel(), f"would take back what {SENDER},VN-7,{SENT} has become: Lũ lên nhanh"),
        (alert(status="System"), "would be ignored: a message of the status System is for machines"),
        (alert(status="Test"), "would become emergency, a test, at once"),
        (alert(status="Draft"), "would become emergency, as a draft"),
        (alert(info(effective="2030-01-01T00:00:00-00:00")), "would be ignored: it becomes effective in more than"),
    ],
)
def test_says_what_would_be_done(tmp_path: Path, data: bytes, what: str) -> None:
    assert check(tmp_path, data).stdout.splitlines()[1].startswith(what)


def test_says_what_is_wrong_line_by_line(tmp_path: Path) -> None:
    said = check(tmp_path, alert(info(urgency="Soon"), sender=None))
    assert said.exit_code == 1
    assert said.stderr.splitlines() == [
        "line 2: missing required element `sender` in `alert`",
        "line 11: `urgency` 'Soon' is none of Immediate, Expected, Future, Past, Unknown",
        "Error: not a CAP 1.2 message that can be taken: 2 faults",
    ]


def test_says_it_to_programs_too(tmp_path: Path) -> None:
    plan = msgspec.json.decode(check(tmp_path, alert(), "--json").stdout)
    assert (plan["act"], plan["draft"]["severity"]) == ("create", "emergency")


def test_reads_no_more_than_may_be(tmp_path: Path) -> None:
    assert "longer than 256 KiB" in check(tmp_path, b"<" * 10_000_000).stderr


def test_nothing_it_says_steers_a_terminal(tmp_path: Path) -> None:
    assert "\x9b" not in check(tmp_path, alert(info(headline="a\x9bb"))).stdout


async def test_sends_a_file_once(valkey: Redis, valkey_url: str, prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "lu.xml"
    file.write_bytes(alert())
    terminal = Terminal(tmp_path, prefix)
    terminal._loa.add_command(cap)
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        line = ("cap", "send", str(file), "--site", "demo", "--server", hub.base)
        said = await terminal.run(*line, LOA_TOKEN=hub.token)
        assert said.exit_code == 0, said.output
        (one,) = await hub.desk.all()
        assert said.stdout == f"{one.id}  created; 3 open pages\n"
        again = await terminal.run(*line, LOA_TOKEN=hub.token)
        assert again.stdout == f"{one.id}  created before; 0 open pages\n"
        assert len(await hub.desk.all()) == 1
        file.write_bytes(update("a@b,1,2026-11-23T11:25:16+07:00"))
        refused = await terminal.run(*line, LOA_TOKEN=hub.token)
        assert refused.exit_code == 1
        assert "line 9: unknown reference" in refused.stderr
        file.write_bytes(alert(status="System", identifier="VN-2"))
        ignored = await terminal.run(*line, LOA_TOKEN=hub.token)
        assert "ignored: a message of the status System" in ignored.stdout
        file.write_bytes(b"<x/>")
        wrong = await terminal.run(*line, LOA_TOKEN=hub.token)
        assert "the root element is `x`" in wrong.stderr
        assert (await terminal.run("cap", "send", str(file), "--site", "A B", "--server", hub.base)).exit_code == 1
