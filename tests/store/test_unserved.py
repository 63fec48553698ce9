from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from store.connection import connect
from store.settings import RedisSettings
from store.unserved import unserved


async def test_a_server_that_is_not_there_does_not_answer(nobodys_port: int) -> None:
    address = f"redis://:geheim@127.0.0.1:{nobodys_port}"
    what, remedy = await failure(connect(RedisSettings(), address), address)
    assert what.startswith(f"redis://127.0.0.1:{nobodys_port} does not answer: ")
    assert remedy == "does it run, and is the address right?"


@pytest.mark.parametrize(("username", "password"), [("nobody", "wrong"), ("", "wrong")])
async def test_a_wrong_password_is_named_as_such(store_url: str, username: str, password: str) -> None:
    what, remedy = await failure(
        connect(RedisSettings(url=store_url, username=username, password=password), store_url), store_url
    )
    assert what.startswith(f"{store_url} refuses: ")
    assert "password" in what
    assert remedy == "check redis.username and redis.password, or those in the address"


async def test_what_a_user_may_not_do_is_refused(redis: Redis, store_url: str, prefix: str) -> None:
    await redis.acl_setuser(prefix, enabled=True, passwords=["+geheim"], commands=["+@all", "-ping"])
    try:
        settings = RedisSettings(url=store_url, username=prefix, password="geheim")
        what, remedy = await failure(connect(settings, store_url), store_url)
    finally:
        await redis.acl_deluser(prefix)
    assert what.startswith(f"{store_url} refuses: ")
    assert "'ping'" in what
    assert remedy == ""


async def failure(client: Redis, url: str) -> tuple[str, str]:
    """What is said of a command that fails."""
    with pytest.raises(RedisError) as raised:
        await client.ping()
    await client.aclose()
    said = unserved(url, raised.value)
    assert str(said) == "; ".join(filter(None, said))
    return said
