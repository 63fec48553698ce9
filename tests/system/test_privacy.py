"""``loa privacy`` on a service in use: everything it has written is told of."""

from __future__ import annotations

import json
from typing import Any

from tests.service import Service
from tests.system.follower import Follower


async def told(service: Service) -> dict[str | None, dict[str, Any]]:
    """What the command says, by form of key."""
    said = await service.loa("privacy", "--format", "json", "--lang", "en")
    assert said.code == 0, said.errors
    return {line["pattern"]: line for line in json.loads(said.output)["lines"]}


async def test_everything_that_is_there_is_told_of(service: Service) -> None:
    await service.loa("token", "create", "--name", "newsroom")
    await service.loa("webhook", "in", "add", "cms", "--site", "demo", "--then", "draft")
    await service.loa("announce", "--site", "demo", "--severity", "info", "--title", "Tin")
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        lines = await told(service)
        while not (lines["presence:{*}:reading"]["entries"] and lines["history:{*}:readers:*"]["keys"]):
            lines = await told(service)
        assert None not in lines, lines[None]["example"]
        reading = lines["presence:{*}:reading"]
        assert (reading["about"], reading["entries"], len(reading["example"]), reading["lasting"]) == (
            "pseudonyms", 1, 24, 0,
        )  # fmt: skip
        assert {line["about"] for line in lines.values() if line["lasting"]} <= {"numbers", "editors", "nobody"}
    for form in ("text", "markdown"):
        for language, word in (("vi", "Loa giữ gì về bạn đọc"), ("en", "What Loa keeps about readers")):
            said = await service.loa("privacy", "--format", form, "--lang", language)
            assert word in said.output
            assert "presence:{*}:reading" in said.output
