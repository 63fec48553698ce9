"""``loa audit`` as an operator types it, against a service on a real socket and its real store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.keys import Keys
from tests.notifications.conftest import SETTINGS
from tests.notifications.service import Room, serving_api
from tests.notifications.test_commands import ANNOUNCE, Terminal


@pytest.fixture
async def terminal(redis: Redis, prefix: str, store_url: str, tmp_path: Path) -> AsyncIterator[Terminal]:
    """The machine of a service at which something has been announced and taken back."""
    async with serving_api(redis, prefix, SETTINGS) as room:
        terminal = Terminal(tmp_path, prefix)
        terminal.finds(room.editor.base, store_url)
        await _history(room, terminal)
        yield terminal


async def _history(room: Room, terminal: Terminal) -> None:
    sent = await terminal.run(*ANNOUNCE)
    id = sent.output.split("  ")[0]
    await room.editor.send("PATCH", f"/{id}", {"title": "Lũ\txuống".replace("\t", " ")})
    assert (await terminal.run("recall", id)).exit_code == 0


async def test_lists_who_did_what(terminal: Terminal) -> None:
    listed = await terminal.run("audit", "list")
    assert listed.exit_code == 0, listed.output
    acts = re.findall(r"Z  (\S+) ", listed.output)
    assert acts == ["token.create", "publish", "update", "recall"]
    assert "command line (local)" in listed.output
    assert "192.0.2.1" in listed.output
    last = await terminal.run("audit", "list", "--limit", "1")
    assert last.output == listed.output.splitlines(keepends=True)[-1]
    (id,) = re.findall(r"(\w{26})/3  ", last.output)
    assert len((await terminal.run("audit", "list", "--id", id)).output.splitlines()) == 3


async def test_a_test_is_marked_as_one(terminal: Terminal) -> None:
    assert "  sent as a test to " in (await terminal.run(*ANNOUNCE, "--test")).output
    last, real = [(await terminal.run("audit", "list", "--limit", "2")).output.splitlines()[place] for place in (-1, 0)]
    assert re.search(r"  \[TEST\] \S", last)
    assert "[TEST]" not in real


async def test_verifies_and_knows_the_trail_again(terminal: Terminal) -> None:
    verified = await terminal.run("audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert verified.output.startswith("4 entries, each as it was written.")
    hash = verified.output.split()[-1]
    await terminal.run(*ANNOUNCE)
    again = await terminal.run("audit", "verify", "--known", hash)
    assert again.exit_code == 0, again.output
    foreign = await terminal.run("audit", "verify", "--known", "0" * 40)
    assert foreign.exit_code == 1
    assert "another one" in foreign.output
    assert (await terminal.run("audit", "verify", "--known", "xyz")).exit_code == 1


async def test_finds_a_changed_a_removed_and_a_reordered_entry(terminal: Terminal, redis: Redis, prefix: str) -> None:
    export = terminal.directory / "trail.jsonl"
    assert (await terminal.run("audit", "export", "--output", str(export))).exit_code == 0
    written = export.read_bytes().splitlines(keepends=True)
    assert msgspec.json.decode(written[1])["entry"]["act"] == "publish"
    assert (await terminal.run("audit", "verify", "--file", str(export))).exit_code == 0
    forged = [
        ([written[0], written[1].replace("lên".encode(), b"tan"), *written[2:]], "entry 2 is not what was"),
        ([written[0], *written[2:]], "entry 2 is missing"),
        ([written[0], written[2], written[1], written[3]], "entry 2 is missing"),
        ([*written, b"oops\n"], "line 5: not a line"),
    ]
    for lines, why in forged:
        export.write_bytes(b"".join(lines))
        found = await terminal.run("audit", "verify", "--file", str(export))
        assert found.exit_code == 1
        assert why in found.output
    keys = Keys(prefix)
    ((last, _),) = await redis.xrevrange(keys.audit, count=1)
    await redis.xdel(keys.audit, last)
    cut = await terminal.run("audit", "verify")
    assert cut.exit_code == 1
    assert "entry 4 is missing at the end" in cut.output


async def test_export_is_what_verify_takes(terminal: Terminal) -> None:
    printed = await terminal.run("audit", "export")
    assert printed.exit_code == 0
    file = terminal.directory / "printed.jsonl"
    file.write_bytes(printed.stdout_bytes)
    assert (await terminal.run("audit", "verify", "--file", str(file))).exit_code == 0


async def test_a_file_that_is_not_there(terminal: Terminal) -> None:
    missing = terminal.directory / "none" / "trail.jsonl"
    for line in (("verify", "--file"), ("export", "--output")):
        refused = await terminal.run("audit", *line, str(missing))
        assert refused.exit_code == 1
        assert len(refused.output.strip().splitlines()) == 1
