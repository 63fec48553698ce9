from __future__ import annotations

from typing import get_args

import jsonschema
import pytest
from redis.asyncio import Redis

from notifications import explanation
from notifications.cap import message
from notifications.cap.api import TYPES, CapAnswer
from notifications.cap.description import DESCRIBED, OUTCOMES
from notifications.cap.intake import Done
from notifications.openapi import describe
from notifications.settings import NotificationsSettings
from tests.notifications.cap.files import alert, cancel, update
from tests.notifications.cap.service import serving_cap

CALL = DESCRIBED["/api/v1/cap/{site}"]["post"]


def test_the_answer_is_described_whole() -> None:
    schema = CALL["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == set(schema["required"]) == set(CapAnswer.__struct_fields__)
    assert set(OUTCOMES) == set(get_args(Done))


def test_the_example_is_valid() -> None:
    content = CALL["requestBody"]["content"]
    assert set(content) == set(TYPES)
    assert message.read(content[TYPES[0]]["example"].encode()).kind == "Alert"


async def test_answers_are_as_described(valkey: Redis, valkey_url: str, prefix: str) -> None:
    schemas = describe(NotificationsSettings(), DESCRIBED)["components"]["schemas"]
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        for data in (alert(), update(), cancel(), alert(status="System"), alert(sender=None)):
            answer = await hub.send(data)
            described = CALL["responses"][str(answer.status)]["content"]
            (kind,) = described
            assert answer.headers["Content-Type"].startswith(kind)
            schema = described[kind]["schema"]
            jsonschema.validate(answer.json, schema if "$ref" not in schema else schemas["Problem"])


def test_the_page_shows_the_example_as_it_is() -> None:
    page = explanation.page(describe(NotificationsSettings(), DESCRIBED))
    assert "&lt;identifier&gt;VN-2026-1123-07&lt;/identifier&gt;\n" in page
    assert "Body: <code>application/cap+xml</code>" in page


@pytest.mark.parametrize("path", [path for path in DESCRIBED if path.startswith("/feeds")])
def test_feeds_need_no_token(path: str) -> None:
    assert DESCRIBED[path]["get"]["security"] == []
