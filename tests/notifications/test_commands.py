"""The commands against a service on a real socket and its real store, found by a run file as by an operator."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result
from redis.asyncio import Redis

from gateway.sites import SiteSettings
from loa import root
from notifications.commands import Span
from notifications.keys import TokenKeys
from notifications.settings import NotificationsSettings
from settings.commandline import Blueprint
from store import runfile
from store.runfile import RunFile
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import ahead, wall
from tests.notifications.service import Room, serving_api

NOBODY = "01kavg3n4m7q2x8r5t9w0y1z3b"
ANNOUNCE = ("announce", "--site", "demo", "--title", "Lũ lên nhanh")


class Sections(msgspec.Struct, frozen=True):
    """The sections these commands read."""

    redis: RedisSettings = RedisSettings()
    notifications: NotificationsSettings = NotificationsSettings()
    sites: dict[str, SiteSettings] = {}


class Terminal:
    """Runs ``loa`` as from a shell on the machine of the service, or on another."""

    def __init__(self, directory: Path, prefix: str) -> None:
        self.directory = directory
        self._config = directory / "config.toml"
        self._config.write_text(f'[redis]\nprefix = "{prefix}"\n')
        self._loa = root

    def finds(self, public_url: str, redis_url: str) -> None:
        """Leaves a run file, as a service would."""
        running = RunFile(pid=os.getpid(), public_url=public_url, ops_url="", redis_url=redis_url)
        runfile.write(self.directory, running)

    async def run(self, *line: str, typed: str = "", **environment: str) -> Result:
        """Runs one command, which finds `typed` on its stdin, in a thread: it brings an event loop of its own."""
        options = ("--config", str(self._config), "--data-dir", str(self.directory))
        blueprint = Blueprint(Sections, lambda settings: "data")
        runner = CliRunner(env={"LOA_URL": "", "LOA_TOKEN": "", **environment})
        return await asyncio.to_thread(runner.invoke, self._loa, [*line, *options], obj=blueprint, input=typed)


@pytest.fixture
def terminal(tmp_path: Path, prefix: str) -> Terminal:
    return Terminal(tmp_path, prefix)


@pytest.fixture
async def room(redis: Redis, prefix: str) -> AsyncIterator[Room]:
    async with serving_api(redis, prefix, SETTINGS, sessions=5716) as room:
        yield room


@pytest.fixture
def running(room: Room, terminal: Terminal, store_url: str) -> Room:
    """The service has left its run file where the terminal looks."""
    runfile.write(
        terminal.directory, RunFile(pid=os.getpid(), public_url=room.editor.base, ops_url="", redis_url=store_url)
    )
    return room


async def test_announces_without_a_token_where_the_store_is(running: Room, terminal: Terminal) -> None:
    done = await terminal.run(*ANNOUNCE, "--severity", "breaking", "--url", "https://a.vn/x", "--expires-in", "1h30m")
    assert done.exit_code == 0, done.output
    id, rest = done.output.split("  ")
    assert rest.startswith("sent to 5,716 open pages; ")
    found = await running.log.get(id)
    one = found.announcement
    assert (one.severity, one.url, one.expires_ms - one.published_ms) == ("breaking", "https://a.vn/x", 5_400_000)


async def test_leaves_no_token_behind(running: Room, terminal: Terminal, redis: Redis, prefix: str) -> None:
    before = await running.tokens.list()
    await terminal.run(*ANNOUNCE)
    assert await running.tokens.list() == before
    async for name in redis.scan_iter(match=f"{TokenKeys(prefix).local('*')}"):
        assert await redis.ttl(name) > 0


async def test_announces_from_elsewhere_with_a_token(room: Room, terminal: Terminal) -> None:
    options = ("--server", room.editor.base, "--token", room.editor.token)
    assert (await terminal.run(*ANNOUNCE, *options)).exit_code == 0
    environment = {"LOA_URL": room.editor.base + "/", "LOA_TOKEN": room.editor.token}
    assert (await terminal.run(*ANNOUNCE, **environment)).exit_code == 0
    refused = await terminal.run(*ANNOUNCE, "--server", room.editor.base)
    assert refused.exit_code == 1
    assert "needs a token" in refused.output


async def test_a_key_makes_it_happen_once(running: Room, terminal: Terminal) -> None:
    """Also where each command makes a token of its own: it is told to repeat itself with the key."""
    elsewhere = ("--server", running.editor.base, "--token", running.editor.token)
    for options in ((), elsewhere):
        one, two = [
            msgspec.json.decode((await terminal.run(*ANNOUNCE, *options, "--key", "k", "--json")).output)
            for _ in range(2)
        ]
        assert one["id"] == two["id"]
        assert (one["replayed"], two["replayed"]) == (False, True)


async def test_recalls(running: Room, terminal: Terminal) -> None:
    id = (await terminal.run(*ANNOUNCE)).output.split("  ")[0]
    done = await terminal.run("recall", id, "--reason", "nhầm")
    assert done.output.startswith(f"{id}  recalled from 5,716 open pages; ")
    assert (await running.log.get(id)).announcement.reason == "nhầm"
    again = await terminal.run("recall", id)
    assert again.exit_code == 0
    assert "was recalled before" in again.output


@pytest.mark.parametrize(
    ("line", "says", "code"),
    [
        (("announce", "--site", "nowhere", "--title", ""), "sites: there is no site 'nowhere'; title: must not be", 1),
        ((*ANNOUNCE, "--url", "javascript:alert(1)"), "url: must begin with https://", 1),
        ((*ANNOUNCE, "--key", "a b"), "--key takes 1 to 200", 1),
        ((*ANNOUNCE, "--key", "a\nb"), "--key takes 1 to 200", 1),
        ((*ANNOUNCE, "--key", "k\udcff"), "--key takes 1 to 200", 1),
        (("recall", NOBODY, "--key", "a\x00b"), "--key takes 1 to 200", 1),
        ((*ANNOUNCE, "--token", "loa_\nX-More: yes"), "is no token", 1),
        ((*ANNOUNCE, "--token", "loa_\udcff"), "is no token", 1),
        ((*ANNOUNCE, "--expires-in", "5"), "expires_in: must be between", 1),
        ((*ANNOUNCE, "--token", "wrong"), "token is not valid", 1),
        (("recall", NOBODY), "no announcement of this id", 1),
        (("recall", "../../x"), "is not the id", 1),
        ((*ANNOUNCE, "--at", "soon"), "starts_at: must be a time", 1),
        ((*ANNOUNCE, "--at", "2027-01-01T08:00Z", "--draft"), "--at and --draft", 1),
        ((*ANNOUNCE, "--submit", "--draft"), "--submit and --draft", 1),
        ((*ANNOUNCE, "--path", "tin"), "audience: must be a path", 1),
        (("announce", "--site", "demo"), "Missing option '--title'", 2),
        ((*ANNOUNCE, "--severity", "loud"), "'loud' is not one of", 2),
        ((*ANNOUNCE, "--expires-in", "1y"), "'1y' is not a time", 2),
        (("token", "create", "--name", "x", "--role", "boss"), "'boss' is not one of", 2),
        (("token", "create", "--name", "x", "--site", "nowhere"), "--site: nowhere is no site here", 1),
        (("token", "create", "--name", "x", "--expires-days", "0"), "'--expires-days'", 2),
        (("token", "create", "--name", "x", "--expires-days", "9", "--expires-in", "1d"), "give one of them", 1),
        (("token", "create", "--name", " "), "--name takes", 1),
        (("token", "create", "--name", "x\udcff"), "--name takes", 1),
        (("token", "create", "--name", "x", "--expires-in", "0"), "'0' is less than 1 s", 2),
        (("token", "create", "--name", "x", "--expires-in", "3651d"), "'3651d' is more than 3,650 days", 2),
        (("token", "create", "--name", "x", "--expires-in", "9999999d"), "is more than 3,650 days", 2),
        (("token", "create", "--name", "x", "--expires-in", "9" * 5000), "is not a time", 2),
        (("token", "revoke", "00000000"), "there is no token", 1),
    ],
)
async def test_says_in_one_line_what_is_wrong(
    running: Room, terminal: Terminal, line: tuple[str, ...], says: str, code: int
) -> None:
    before = await running.tokens.list()
    done = await terminal.run(*line)
    assert done.exit_code == code
    assert says in done.output
    assert "may have been carried out" not in done.output
    assert await running.tokens.list() == before
    assert (await running.log.page()).found == []


@pytest.mark.parametrize(
    "line", [ANNOUNCE, ("recall", NOBODY), ("watch",), ("token", "list")], ids=lambda line: line[0]
)
async def test_says_that_nothing_runs_here(terminal: Terminal, line: tuple[str, ...]) -> None:
    done = await terminal.run(*line)
    assert done.exit_code == 1
    assert f"no service runs on {terminal.directory}; start it with 'loa serve'" in done.output


@pytest.mark.parametrize(
    "server",
    [
        "ftp://x",
        "x",
        "//x",
        "http://",
        "http://[::1",
        "http://[x]",
        "http://h:99999",
        "http://h:x",
        "http://h:0",
        "http://h\n",
        "http://h x",
        "http://h\udcff",
        "http://a..b",
        f"http://{'a' * 64}.vn",
        "http://ai@h",
        "http://h?x",
        "http://h#x",
    ],
)
@pytest.mark.parametrize(
    "line", [("watch",), (*ANNOUNCE, "--token", "x"), ("recall", NOBODY, "--token", "x")], ids=lambda line: line[0]
)
async def test_says_what_an_address_looks_like(terminal: Terminal, line: tuple[str, ...], server: str) -> None:
    done = await terminal.run(*line, "--server", server)
    assert done.exit_code == 1
    assert "is not the address of a service" in done.output
    assert len(done.output.splitlines()) == 1
    assert "carried out" not in done.output


async def test_takes_an_address_in_capitals(room: Room, terminal: Terminal) -> None:
    server = room.editor.base.replace("http", "HTTP") + "/"
    assert (await terminal.run(*ANNOUNCE, "--server", server, "--token", room.editor.token)).exit_code == 0


async def test_lists_tokens_that_outlast_the_calendar(running: Room, terminal: Terminal) -> None:
    """An earlier release made them; what it had stored it could not show."""
    await running.tokens.create("đời đời", expires_in_seconds=9_999_999 * 86_400)
    listed = await terminal.run("token", "list")
    assert listed.exit_code == 0
    assert "until 9999-12-31T23:59Z" in listed.output


async def test_makes_tokens_for_as_long_as_may_be(running: Room, terminal: Terminal) -> None:
    for time in ("1s", "3650d"):
        made = await terminal.run("token", "create", "--name", "x", "--expires-in", time)
        assert made.exit_code == 0, made.output
        assert await running.tokens.verify(made.output.split()[-1]) is not None or time == "1s"


@pytest.mark.slow
async def test_says_that_nobody_answers(terminal: Terminal, nobodys_port: int) -> None:
    server = f"http://127.0.0.1:{nobodys_port}"
    done = await terminal.run(*ANNOUNCE, "--server", server, "--token", "x")
    assert done.exit_code == 1
    assert f"no service answers at {server}" in done.output
    assert "--key" not in done.output


@pytest.mark.slow
async def test_says_how_to_find_out_when_the_answer_was_cut_off(terminal: Terminal) -> None:
    """Every request is taken and never answered: it may have been carried out."""
    taken = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        taken.append(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"idempotency-key")))
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        done = await terminal.run(*ANNOUNCE, "--server", f"http://127.0.0.1:{port}", "--token", "x")
    assert done.exit_code == 1
    assert len(taken) > 1
    assert len(set(taken)) == 1
    assert f"repeat it with --key {taken[0].decode().partition(': ')[2]}" in done.output


async def test_makes_lists_and_revokes_tokens(running: Room, terminal: Terminal) -> None:
    made = await terminal.run("token", "create", "--role", "editor", "--name", "Cổng thông tin", "--expires-in", "90d")
    assert made.exit_code == 0
    text = made.output.strip().splitlines()[-1]
    token = await running.tokens.verify(text)
    assert token is not None
    assert token.expires_ms - token.created_ms == 90 * 86_400_000
    listed = (await terminal.run("token", "list")).output
    assert f"{token.id}  editor" in listed
    assert "Cổng thông tin" in listed
    assert text.rpartition("_")[2] not in listed
    assert (await terminal.run("token", "revoke", token.id)).exit_code == 0
    assert await running.tokens.verify(text) is None


async def test_says_that_the_store_does_not_answer(running: Room, terminal: Terminal, short_directory: Path) -> None:
    gone = f"unix://{short_directory}/nobody.sock"
    runfile.write(
        terminal.directory, RunFile(pid=os.getpid(), public_url=running.editor.base, ops_url="", redis_url=gone)
    )
    for line in (("token", "list"), ANNOUNCE):
        done = await terminal.run(*line)
        assert done.exit_code == 1
        assert f"the store at {gone} does not answer" in done.output
    # It has been tried again, as with a token, and the last word is what an editor has to know.
    assert done.output.startswith("Error: Not sent: ")


async def test_says_that_the_store_does_not_let_it_in(running: Room, terminal: Terminal, store_url: str) -> None:
    terminal.finds(running.editor.base, store_url.replace("unix://", "unix://nobody:wrong@"))
    for line in (("token", "list"), ANNOUNCE):
        done = await terminal.run(*line)
        assert done.exit_code == 1
        assert "refuses Loa's credentials" in done.output
        assert "check redis.username and redis.password" in done.output
        assert "does not answer" not in done.output
        assert "wrong" not in done.output


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("45s", 45), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("0", 0)]
)
def test_understands_times(text: str, seconds: int) -> None:
    assert Span().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "h", "1.5h", "-1", "1h 30m", "１h", "1w"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(click.UsageError):
        Span().convert(text, None, None)


async def test_writes_what_is_not_sent_at_once(running: Room, terminal: Terminal) -> None:
    drafted = await terminal.run(*ANNOUNCE, "--draft", "--section", "thoi-su", "--path", "/tin/**", "--test")
    assert "written as a draft" in drafted.output
    one = (await running.log.get(drafted.output.split()[0])).announcement
    assert (one.status, one.test) == ("draft", True)
    assert (one.audience.sections, one.audience.paths) == (("thoi-su",), ("/tin/**",))
    at = ahead("Asia/Ho_Chi_Minh")
    submitted = await terminal.run(*ANNOUNCE, "--submit", "--at", wall(at))
    assert "waits until somebody approves" in submitted.output
    one = (await running.log.get(submitted.output.split()[0])).announcement
    assert (one.status, one.starts_ms > 0) == ("waiting", True)
    scheduled = await terminal.run(*ANNOUNCE, "--at", wall(at), "--language", "vi", "--visible")
    assert f"goes out at {wall(at)} by the site's clock, {at:%Y-%m-%d}T01:00:00.000Z" in scheduled.output
    assert (await running.log.get(scheduled.output.split()[0])).announcement.audience.visible


async def test_discards_what_nobody_was_told_of(running: Room, terminal: Terminal) -> None:
    drafted = await terminal.run(*ANNOUNCE, "--draft")
    id = drafted.output.split()[0]
    discarded = await terminal.run("discard", id)
    assert (discarded.exit_code, discarded.output.split(";")[0]) == (0, f"{id}  discarded")
    assert (await running.log.get(id)).status == "discarded"
    refused = await terminal.run("discard", "../x")
    assert refused.exit_code == 1
    assert "is not the id of an announcement" in refused.output
