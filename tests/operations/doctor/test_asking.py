"""A store that cannot be asked is told with its cause; one that can is asked in the system's tests."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from operations.doctor.asking import ask, ask_leases
from operations.doctor.checks import leases, store
from settings.commandline import Deployment
from store.settings import Elsewhere, RedisSettings


class Sections(msgspec.Struct, frozen=True):
    """The section that is read."""

    redis: RedisSettings


def deployment(directory: Path, url: str) -> Deployment:
    return Deployment(Sections(RedisSettings(url=url)), None, directory)


@pytest.fixture
def locked_url(store_url: str) -> str:
    """A store that answers, and lets nobody of that name in."""
    return store_url.replace("unix://", "unix://nobody:wrong@")


async def test_a_wrong_password_is_told_as_such(tmp_path: Path, locked_url: str) -> None:
    (one,) = store(await ask(deployment(tmp_path, locked_url), ""))
    assert (one.check, one.level) == ("store", "bad")
    assert "refuses Loa's credentials (invalid username-password pair or user is disabled)" in one.found
    assert "wrong" not in one.found
    assert one.remedy == "check redis.username and redis.password, or those in redis.url"


async def test_that_of_leases_has_its_own(locked_url: str) -> None:
    (facts,) = await ask_leases(Elsewhere(RedisSettings(), locked_url))
    (one,) = leases(facts)
    assert "refuses Loa's credentials" in one.found
    assert one.remedy == "check the username and password in presence.redis_url"


async def test_one_that_is_away_does_not_answer(tmp_path: Path, short_directory: Path) -> None:
    (one,) = store(await ask(deployment(tmp_path, f"unix://{short_directory}/nobody.sock"), ""))
    assert "does not answer: " in one.found
    assert one.remedy == "see redis.url and the store's own log"
