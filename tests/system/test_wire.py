"""What the wire carries is what `docs/asyncapi.yaml` says it carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from tests.service import Service
from tests.system.follower import Follower

DESCRIPTION = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"


@pytest.fixture(scope="module")
def description() -> Any:
    return yaml.safe_load(DESCRIPTION.read_text("utf-8"))


def validate(description: Any, frame: dict[str, Any]) -> None:
    """Holds `frame` against the schema of its type, which must know every member of it."""
    name = description["components"]["messages"][frame["type"]]["payload"]["$ref"].rpartition("/")[2]
    schema = {
        **description,
        "$ref": f"#/components/schemas/{name}",
        "unevaluatedProperties": False,
    }
    Draft202012Validator(schema).validate(frame)


async def test_every_frame_is_as_described(service: Service, description: Any) -> None:
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        id = await service.publish("demo", title="Tin", body="Hai\ndòng", url="https://portal.example.vn/")
        await reader.until(lambda: id in reader.view)
        await service.update(id, title="Tin đã sửa", show_again=True)
        await reader.until(lambda: reader.view[id]["revision"] == 2)
        async with Follower(service.url, "demo") as newcomer:
            await newcomer.until(lambda: id in newcomer.view)
            await reader.until(lambda: reader.online == 2)
        await service.recall(id)
        await reader.until(lambda: not reader.view)
        for frame in (*reader.frames, *newcomer.frames):
            validate(description, frame)
        assert {frame["type"] for frame in reader.frames} >= {"welcome", "presence", "announcement"}
        assert any(frame["announcements"] for frame in newcomer.greetings)


async def test_what_only_some_announcements_have_is_as_described(service: Service, description: Any) -> None:
    rare = {
        "language": "vi",
        "texts": {
            "en": {"title": "News", "body": "More", "url": "https://portal.example.vn/en"},
            "fr": {"title": "Infos"},
        },
        "audience": {"sections": ["a"], "paths": ["/x/*", "/y/**"], "languages": ["vi"], "visible": True},
        "test": True,
    }
    async with Follower(service.url, "demo", tests=True) as tester, Follower(service.url, "demo") as reader:
        await tester.until(lambda: bool(tester.greetings))
        await reader.until(lambda: bool(reader.greetings))
        trial = await service.publish("demo", **rare)
        await tester.until(lambda: trial in tester.view)
        frame = tester.view[trial]
        assert rare.keys() <= frame.keys()
        async with Follower(service.url, "demo", tests=True) as newcomer:
            await newcomer.until(lambda: trial in newcomer.view)
        await service.recall(trial)
        await tester.until(lambda: trial not in tester.view)
        marker = await service.publish("demo", title="Thật")
        await reader.until(lambda: marker in reader.view)
        assert trial not in str(reader.frames)
        for one in (*tester.frames, *newcomer.frames):
            validate(description, one)
        await service.recall(marker)


def test_a_member_nobody_described_is_noticed(description: Any) -> None:
    validate(description, {"type": "tick"})
    with pytest.raises(ValidationError):
        validate(description, {"type": "tick", "more": 1})
