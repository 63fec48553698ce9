"""``loa webhook`` on a real store, found by a run file as by an operator."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from click.testing import Result
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.log import Log
from notifications.trail import Trail
from notifications.webhooks.registry import Registry
from tests.notifications.making import by, draft
from tests.notifications.test_commands import Terminal
from tests.notifications.webhooks.conftest import SETTINGS, delivering
from tests.notifications.webhooks.receiver import Receiver
from tests.patience import until

SECTIONS = """
[notifications]
webhooks_private = true

[sites.demo]
[sites.tinh]
"""


class Shell:
    """Runs ``loa webhook …``."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def run(self, *line: str) -> Result:
        return await self._terminal.run("webhook", *line)

    async def add(self, url: str, *further: str) -> tuple[str, str]:
        """Its id and its secret."""
        said = await self.run("add", url, "--event", "announcement.live", *further)
        assert said.exit_code == 0, said.output
        first, _, secret = said.output.strip().split("\n")
        return first.split()[1], secret


@pytest.fixture
def shell(tmp_path: Path, prefix: str, store_url: str) -> Shell:
    terminal = Terminal(tmp_path, prefix)
    with (tmp_path / "config.toml").open("a") as config:
        config.write(SECTIONS)
    terminal.finds("http://127.0.0.1:1", store_url)
    return Shell(terminal)


async def test_the_life_of_a_webhook(shell: Shell, receiver: Receiver, redis: Redis, prefix: str) -> None:
    id, secret = await shell.add(receiver.url, "--site", "demo")
    listed = await shell.run("list")
    assert listed.output == f"{id}  0 waiting  demo  live  {receiver.url}\n"
    assert (await shell.run("test", id)).output == f"{id}  delivered, answered 204\n"
    rotated = (await shell.run("rotate", id)).output.strip().split("\n")[-1]
    assert (await shell.run("test", id)).exit_code == 0
    first, second = receiver.got
    assert first.signed_with(secret) and second.signed_with(secret) and second.signed_with(rotated)
    receiver.answering = lambda _: web.Response(status=500)
    failed = await shell.run("test", id)
    assert (failed.exit_code, failed.output.strip()) == (1, "Error: not delivered: the receiver answered 500")
    assert (await shell.run("remove", id)).output == f"{id}  removed\n"
    assert (await shell.run("list")).output == ""
    entries = [line.entry async for line in Trail(redis, prefix).lines()]
    assert not any(secret[6:].encode() in entry or rotated[6:].encode() in entry for entry in entries)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            ("add", "https://chat.example.vn/", "--event", "announcement.live", "--site", "khac"),
            "there is no site 'khac'",
        ),
        (("add", "file:///etc/passwd", "--event", "announcement.live"), "must begin with https:// or http://"),
        (("remove", "wh0"), "there is no webhook 'wh0'"),
        (("rotate", "wh0"), "there is no webhook 'wh0'"),
        (("test", "wh0"), "there is no webhook 'wh0'"),
        (("enable", "wh0"), "there is no disabled webhook 'wh0'"),
        (("dead", "retry", "x"), "'x' is not the id of a dead delivery"),
        (("dead", "drop", f"{2**64}-1"), f"'{2**64}-1' is not the id of a dead delivery"),
        (("dead", "drop", "9" * 26 + "-1"), "is not the id of a dead delivery"),
        (("dead", "drop", "1-0"), "there is no dead delivery '1-0'"),
        (("in", "add", "CMS", "--site", "demo", "--then", "live"), "takes lower-case letters"),
        (("in", "remove", "cms"), "there is no hook 'cms'"),
        (("in", "rotate", "cms"), "there is no hook 'cms'"),
    ],
)
async def test_says_in_a_line_what_is_wrong(shell: Shell, line: tuple[str, ...], why: str) -> None:
    said = await shell.run(*line)
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert why in said.output


async def test_the_dead_are_listed_retried_and_dropped(
    shell: Shell, receiver: Receiver, log: Log, store_url: str, prefix: str
) -> None:
    id, _ = await shell.add(receiver.url)
    receiver.answering = lambda _: web.Response(status=400)
    registry = Registry(log._redis, prefix, SETTINGS)

    async def all_dead() -> bool:
        return len(await registry.dead()) == 2

    async with delivering(store_url, prefix, replace(SETTINGS, webhook_retries=[])):
        for title in ("Một", "Hai"):
            await log.publish(draft(title=title), by=by("editor"))
        await until(all_dead)
        listed = (await shell.run("dead", "list")).output.splitlines()
        assert all(f"  {id}  announcement.live  " in one and "the receiver answered 400" in one for one in listed)
        receiver.answering = lambda _: web.Response(status=204)
        last, first = (one.split()[0] for one in listed)
        assert (await shell.run("dead", "retry", first)).output == f"{first}  waits again\n"
        await receiver.until(lambda got: len(got) == 3)
        assert (await shell.run("dead", "drop", last)).output == f"{last}  dropped\n"
    assert (await shell.run("dead", "list")).output == ""


async def test_the_life_of_a_hook(shell: Shell) -> None:
    said = await shell.run("in", "add", "cms", "--site", "demo", "--site", "tinh", "--then", "waiting")
    first, _, secret = said.output.strip().split("\n")
    assert first == "the CMS posts to /api/v1/hooks/cms; what it posts becomes waiting"
    assert secret.startswith("whsec_")
    again = await shell.run("in", "add", "cms", "--site", "demo", "--then", "live")
    assert again.output == "Error: there is a hook 'cms' already\n"
    assert (await shell.run("in", "list")).output == "cms  waiting  demo,tinh\n"
    rotated = (await shell.run("in", "rotate", "cms")).output.strip().split("\n")[-1]
    assert rotated.startswith("whsec_") and rotated != secret
    assert (await shell.run("in", "remove", "cms")).output == "cms  removed\n"
    assert (await shell.run("in", "list")).output == ""
