"""``loa history`` on a real store, found by a run file as by an operator."""

from __future__ import annotations

import asyncio
import csv
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result
from redis.asyncio import Redis

from gateway.sites import SiteSettings
from presence.history.books import Numbers
from presence.history.chronicle import Chronicle
from presence.history.commands import history
from presence.history.sampling import Minute
from presence.history.series import HOUR_MS, MINUTE_MS, floor
from presence.history.tally import Batch
from settings.commandline import Blueprint
from store import runfile
from store.connection import connect
from store.runfile import RunFile
from store.settings import RedisSettings


class Sections(msgspec.Struct, frozen=True):
    """The sections these commands read."""

    redis: RedisSettings = RedisSettings()
    sites: dict[str, SiteSettings] = {}


class Terminal:
    """Runs ``loa`` as from a shell on the machine of the service."""

    def __init__(self, directory: Path, prefix: str, redis: Redis) -> None:
        self.directory = directory
        self.chronicle = Chronicle(redis, prefix)
        self._config = directory / "config.toml"
        self._config.write_text(f'[redis]\nprefix = "{prefix}"\n[sites.demo]\ntimezone = "Asia/Ho_Chi_Minh"\n')
        self._loa = click.Group(commands={"history": history})

    def with_a_second_site(self) -> None:
        self._config.write_text(self._config.read_text() + "[sites.other]\n")

    async def run(self, *line: str, given: bytes = b"") -> Result:
        """Runs one command, in a thread: it brings an event loop of its own."""
        options = ("--config", str(self._config), "--data-dir", str(self.directory))
        blueprint = Blueprint(Sections, lambda settings: "data")
        return await asyncio.to_thread(
            CliRunner().invoke, self._loa, ["history", *line, *options], obj=blueprint, input=given
        )

    async def said(self, *line: str, given: bytes = b"") -> str:
        """What it printed, where all went well."""
        result = await self.run(*line, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture
async def terminal(tmp_path: Path, prefix: str, valkey_url: str) -> AsyncIterator[Terminal]:
    running = RunFile(pid=os.getpid(), public_url="http://127.0.0.1:1", ops_url="", redis_url=valkey_url)
    runfile.write(tmp_path, running)
    redis = connect(RedisSettings(), valkey_url, connections=1)
    yield Terminal(tmp_path, prefix, redis)
    await redis.aclose()


async def test_hours_and_minutes_are_printed_and_gaps_are_dashes(terminal: Terminal) -> None:
    at_ms = floor("hour", await terminal.chronicle.now_ms()) - 3 * HOUR_MS
    await terminal.chronicle.minute("demo", Minute(at_ms, 1234, 1000.0, True))
    local = (datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M")
    lines = (await terminal.said()).splitlines()
    assert lines[0].split() == ["hour", "peak", "mean"]
    assert lines[-1].strip() == "demo, Asia/Ho_Chi_Minh"
    (measured,) = [line for line in lines if line.startswith(local)]
    assert measured.split()[2:4] == ["1,234", "1,000.0"]
    gaps = [line.split()[2:] for line in lines[1:-1] if line != measured]
    # The hour that has begun is among them once a minute of it is over.
    assert 22 <= len(gaps) <= 24
    assert all(gap == ["–", "–"] for gap in gaps)
    begin = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
    end = datetime.fromtimestamp((at_ms + 2 * MINUTE_MS) / 1000, UTC).isoformat()
    text = await terminal.said("show", "--by", "minute", "--from", begin, "--to", end, "--format", "csv")
    rows = [*csv.reader(text.splitlines())]
    assert [row[1:] for row in rows] == [["peak", "mean"], ["1234", "1000"], ["", ""]]
    said = msgspec.json.decode(await terminal.said("--by", "hour", "--from", begin, "--to", end, "--format", "json"))
    assert [point["peak"] for point in said["points"]] == [1234]


async def test_what_is_no_longer_kept_is_said_beside_what_is_read_by_programs(terminal: Terminal) -> None:
    now_ms = await terminal.chronicle.now_ms()

    def ago(days: int) -> str:
        return datetime.fromtimestamp(now_ms / 1000 - days * 86_400, UTC).isoformat(timespec="seconds")

    for by, kept, further in (("minute", 14, "--by hour"), ("hour", 731, "--by day")):
        cut = await terminal.run("--by", by, "--from", ago(kept + 2), "--to", ago(kept - 1), "--format", "csv")
        assert cut.exit_code == 0
        assert cut.stderr.startswith("Shown from 20")
        assert f": {by}s are kept for {kept} days; {further} goes back" in cut.stderr
        assert len(cut.stdout.splitlines()) > 20
        gone = await terminal.run("--by", by, "--from", ago(kept + 9), "--to", ago(kept + 8))
        assert gone.exit_code == 0
        assert gone.stderr.startswith(f"Nothing is kept of then: {by}s are kept for {kept} days; {further} ")
        within = await terminal.run("--by", by, "--from", ago(2), "--to", ago(1))
        assert (within.exit_code, within.stderr) == (0, "")
    assert (await terminal.run("--by", "day", "--from", ago(3000))).stderr == ""


async def test_days_have_visits_and_views_too(terminal: Terminal) -> None:
    now_ms = await terminal.chronicle.now_ms()
    today = (datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(hours=7)).date()
    yesterday, before = today - timedelta(days=1), today - timedelta(days=2)
    await terminal.chronicle.apply("demo", "run", Batch(1, yesterday.isoformat(), 7, (b"x" * 12,)))
    noon = datetime(yesterday.year, yesterday.month, yesterday.day, 5, tzinfo=UTC)
    await terminal.chronicle.minute("demo", Minute(round(noon.timestamp() * 1000), 3, 2.5, True))
    line = ("--by", "day", "--from", before.isoformat(), "--to", today.isoformat())
    text = await terminal.said(*line, "--format", "csv")
    assert [*csv.reader(text.splitlines())] == [
        ["date", "visits", "views", "peak", "mean"],
        [before.isoformat(), "", "", "", ""],
        [yesterday.isoformat(), "1", "7", "3", "2.5"],
    ]
    said = msgspec.json.decode(await terminal.said(*line, "--format", "json"))
    assert (said["resolution"], said["points"][1]["visits"]) == ("day", 1)
    assert yesterday.isoformat() in await terminal.said(*line)
    assert len((await terminal.said("--by", "day", "--format", "csv")).splitlines()) == 15


async def test_an_old_counter_is_imported_and_the_same_again_changes_nothing(terminal: Terminal) -> None:
    text = b"date,visits,views\n2025-11-24,10,30\n2025-11-25,5,15\ntotal,1000,5000\n"
    file = terminal.directory / "old.csv"
    file.write_bytes(text)
    assert "is sound: 2 days from 2025-11-24 to 2025-11-25" in await terminal.said("import", str(file), "--dry-run")
    assert (await terminal.chronicle.imported("demo")).days == {}
    said = await terminal.said("import", str(file), "--site", "demo")
    assert said == (
        "imported for demo: 2 days from 2025-11-24 to 2025-11-25, in all 1,000 visits and 5,000 page views; "
        "nothing was imported before\n"
    )
    assert "in place of 2 days" in await terminal.said("import", "-", given=text)
    books = await terminal.chronicle.books("demo", ["2025-11-24"])
    assert (books.total, books.days) == (Numbers(1000, 5000), {"2025-11-24": Numbers(10, 30)})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"2025-11-24,10,30\n2025-11-25,ten,30\n", "line 2: has 'ten' for visits"),
        (b"2025-11-24,10,30\n2025-11-25,\xff,30\n", "line 2: is not UTF-8 text"),
        (b"", "line 1: there is nothing in the file"),
    ],
)
async def test_of_a_file_with_a_bad_line_nothing_is_imported(terminal: Terminal, text: bytes, why: str) -> None:
    await terminal.said("import", "-", given=b"total,7,8\n")
    result = await terminal.run("import", "-", given=text)
    assert result.exit_code == 1
    assert why in result.output
    assert result.output.rstrip().endswith("nothing was imported")
    assert (await terminal.chronicle.imported("demo")).total == Numbers(7, 8)


async def test_a_file_that_is_not_there_is_no_import(terminal: Terminal) -> None:
    result = await terminal.run("import", str(terminal.directory / "missing.csv"))
    assert result.exit_code == 1
    assert "missing.csv: No such file or directory; nothing was imported" in result.output


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("--from", "soon"), "--from: It is a date such as"),
        (("--by", "day", "--from", "2099-01-01"), "--from: It must be before"),
        (("--by", "day", "--from", "1980-01-01"), "--from: At most"),
        (("--site", "nowhere"), "there is no site 'nowhere'; there is demo"),
    ],
)
async def test_what_cannot_be_shown_is_said_in_one_line(terminal: Terminal, line: tuple[str, ...], why: str) -> None:
    result = await terminal.run(*line)
    assert result.exit_code == 1
    assert why in result.output


async def test_of_two_sites_one_must_be_named(terminal: Terminal) -> None:
    terminal.with_a_second_site()
    result = await terminal.run()
    assert (result.exit_code, "say which site with --site; there is demo, other" in result.output) == (1, True)
    assert "other, Asia/Ho_Chi_Minh" in await terminal.said("--site", "other")


async def test_where_no_service_runs_it_says_so(terminal: Terminal) -> None:
    runfile.remove(terminal.directory)
    result = await terminal.run()
    assert result.exit_code == 1
    assert "no service runs on" in result.output


async def test_a_store_that_does_not_answer_is_named(terminal: Terminal) -> None:
    nowhere = f"unix://{terminal.directory}/nowhere.sock"
    runfile.write(terminal.directory, RunFile(pid=os.getpid(), public_url="http://x", ops_url="", redis_url=nowhere))
    for line in ((), ("import", "-")):
        result = await terminal.run(*line, given=b"total,1,2")
        assert result.exit_code == 1
        assert f"the store at {nowhere} does not answer" in result.output


async def test_a_store_that_does_not_let_it_in_is_named(terminal: Terminal, store_url: str) -> None:
    locked = store_url.replace("unix://", "unix://nobody:wrong@")
    runfile.write(terminal.directory, RunFile(pid=os.getpid(), public_url="http://x", ops_url="", redis_url=locked))
    result = await terminal.run()
    assert result.exit_code == 1
    assert "refuses Loa's credentials (invalid username-password pair or user is disabled)" in result.output
    assert "does not answer" not in result.output
