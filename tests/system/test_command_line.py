"""The commands as a person types them, against a running service."""

from __future__ import annotations

import asyncio
import json
import signal

from tests.patience import PATIENCE_SECONDS
from tests.service import Service
from tests.system.follower import Follower


async def test_announce_and_recall_reach_an_open_page(service: Service) -> None:
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: bool(reader.greetings))
        said = await service.loa("announce", "--site", "demo", "--severity", "breaking", "--title", "Lũ", "--json")
        assert said.code == 0, said.errors
        answer = json.loads(said.output)
        assert answer["sessions"] == 1
        assert answer["durability"] == "disk"
        await reader.until(lambda: answer["id"] in reader.view)
        assert reader.view[answer["id"]]["title"] == "Lũ"
        assert (await service.loa("recall", answer["id"])).code == 0
        await reader.until(lambda: not reader.view)


async def test_a_wrong_link_is_one_line_and_nothing_is_sent(service: Service) -> None:
    said = await service.loa(
        "announce", "--site", "demo", "--severity", "info", "--title", "Tin", "--url", "javascript:alert(1)"
    )
    assert said.code == 1
    assert said.errors.count("\n") == 1
    assert "url" in said.errors


async def test_usage_errors_are_one_line_and_exit_2(service: Service) -> None:
    said = await service.loa("announce", "--nonsense")
    assert said.code == 2
    assert said.errors.count("\n") == 1
    assert "--help" in said.errors


async def test_a_token_is_the_last_line_and_ends_when_revoked(service: Service) -> None:
    made = await service.loa("token", "create", "--role", "editor", "--name", "newsroom")
    assert made.code == 0
    token = made.output.strip().splitlines()[-1]
    publish = ("announce", "--site", "demo", "--severity", "info", "--title", "Tin", "--token", token)
    assert (await service.loa(*publish)).code == 0
    assert (await service.loa("token", "revoke", token.split("_")[1])).code == 0
    refused = await service.loa(*publish)
    assert refused.code == 1
    assert refused.errors.count("\n") == 1


async def test_simulated_readers_are_counted_exactly_and_leave(service: Service) -> None:
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        # Until they have been counted, however long that takes.
        async with service.running_loa("simulate", "--site", "demo", "--readers", "300") as simulation:
            assert simulation.stdout is not None
            async with asyncio.timeout(PATIENCE_SECONDS):
                said = await simulation.stdout.readuntil(b"until Ctrl-C")
            await reader.until(lambda: reader.online == 301)
            simulation.send_signal(signal.SIGINT)
            _, errors = await simulation.communicate()
        assert simulation.returncode == 0, errors
        assert b"300 of 300 readers are connected." in said
        await reader.until(lambda: reader.online == 1)
