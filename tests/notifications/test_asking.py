from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from notifications.asking import ask
from notifications.errors import StoreAway


async def answered(answer: object) -> object:
    if isinstance(answer, Exception):
        raise answer
    return answer


async def test_an_answer_is_handed_on() -> None:
    assert await ask(answered(b"x")) == b"x"


@pytest.mark.parametrize(
    ("error", "why"), [(RedisConnectionError("gone\n  for good"), "gone for good"), (OSError(), "OSError")]
)
async def test_that_there_is_none_says_why(error: Exception, why: str) -> None:
    with pytest.raises(StoreAway) as away:
        await ask(answered(error))
    assert away.value.why == why
