from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

import pytest
from redis.asyncio import Redis

from notifications.actor import Actor
from notifications.client import ANSWER_SECONDS, PAUSES_SECONDS
from notifications.errors import StoreAway
from notifications.keys import TokenKeys
from notifications.tokens import LOCAL_SECONDS, Tokens
from store.connection import connect
from store.settings import RedisSettings


@pytest.fixture
def tokens(redis: Redis, prefix: str) -> Tokens:
    return Tokens(redis, prefix)


async def everything(redis: Redis, prefix: str) -> str:
    """All that the store holds of this test, as text."""
    found = []
    async for name in redis.scan_iter(match=f"{prefix}:*"):
        if await redis.type(name) == b"stream":
            found += [name, *[part for _, fields in await redis.xrange(name) for part in fields.values()]]
        elif await redis.type(name) == b"hash":
            found += [name, *[part for pair in (await redis.hgetall(name)).items() for part in pair]]
        else:
            found += [name, await redis.get(name)]
    return b" ".join(found).decode()


async def test_is_known_by_its_text(tokens: Tokens) -> None:
    new = await tokens.create("CMS")
    assert re.fullmatch(r"loa_[0-9a-f]{8}_[0-9a-f]{64}", new.text)
    assert await tokens.verify(new.text) == new.token
    assert (new.token.name, new.token.role) == ("CMS", "editor")


async def test_the_store_holds_no_secret(tokens: Tokens, redis: Redis, prefix: str) -> None:
    made = [await tokens.create("CMS"), await tokens.create_local()]
    held = await everything(redis, prefix)
    for new in made:
        secret = new.text.rpartition("_")[2]
        assert secret not in held
        assert hashlib.sha256(secret.encode()).hexdigest() in held


async def test_behind_a_token_of_the_console_is_who_made_it(tokens: Tokens) -> None:
    made = await tokens.create("CMS", by=Actor(owner="user:an"))
    kept = await tokens.verify(made.text)
    assert kept is not None
    assert (kept.principal("").owner, kept.principal("").who) == (kept.id, "user:an")
    at_the_machine = (await tokens.create("CMS")).token.principal("")
    assert at_the_machine.who == at_the_machine.owner


async def test_another_secret_is_another_token(tokens: Tokens) -> None:
    one, two = await tokens.create("one"), await tokens.create("two")
    mixed = one.text[:13] + two.text[13:]
    assert await tokens.verify(mixed) is None


@pytest.mark.parametrize(
    "text", ["", "loa_", "loa_0_0", "loa_00000000_" + "0" * 63, "LOA_00000000_" + "0" * 64, "é" * 77]
)
async def test_what_is_no_token_is_not_asked_for(text: str, short_directory: Path) -> None:
    away = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock")
    assert await Tokens(away, "x").verify(text) is None
    with pytest.raises(StoreAway):
        await Tokens(away, "x").verify("loa_00000000_" + "0" * 64)
    await away.aclose()


async def test_a_revoked_one_is_gone(tokens: Tokens) -> None:
    new = await tokens.create("CMS")
    assert await tokens.revoke(new.token.id)
    assert await tokens.verify(new.text) is None
    assert not await tokens.revoke(new.token.id)
    assert await tokens.list() == []


async def test_expires(tokens: Tokens, redis: Redis, prefix: str) -> None:
    new = await tokens.create("CMS", expires_in_seconds=3600)
    assert await tokens.verify(new.text) is not None
    stored = await redis.hget(TokenKeys(prefix).tokens, new.token.id)
    assert isinstance(stored, bytes)
    over = stored.replace(str(new.token.expires_ms).encode(), str(new.token.created_ms).encode())
    await redis.hset(TokenKeys(prefix).tokens, new.token.id, over)
    assert await tokens.verify(new.text) is None


async def test_a_local_one_lasts_a_moment_and_is_not_listed(tokens: Tokens, redis: Redis, prefix: str) -> None:
    new = await tokens.create_local()
    assert await tokens.verify(new.text) == new.token
    assert await tokens.list() == []
    assert 0 < await redis.ttl(TokenKeys(prefix).local(new.token.id)) <= LOCAL_SECONDS


def test_a_local_one_outlasts_all_tries() -> None:
    """Else the last try of a command is told that its token is not valid, whatever the first has done."""
    assert sum(PAUSES_SECONDS) + (len(PAUSES_SECONDS) + 1) * ANSWER_SECONDS < LOCAL_SECONDS


async def test_the_first_token_is_made_once(tokens: Tokens, redis: Redis, prefix: str) -> None:
    made = await asyncio.gather(*[Tokens(redis, prefix).first_token() for _ in range(5)])
    (first,) = [one for one in made if one is not None]
    assert await tokens.verify(first.text) is not None
    await tokens.revoke(first.token.id)
    assert await tokens.first_token() is None


async def test_a_first_token_that_nobody_saw_is_taken_back_and_made_again(tokens: Tokens) -> None:
    unseen = await tokens.first_token()
    assert unseen is not None
    await tokens.forget_first(unseen.text)
    assert await tokens.verify(unseen.text) is None
    again = await tokens.first_token()
    assert again is not None
    assert await tokens.verify(again.text) is not None


async def test_lists_the_oldest_first(tokens: Tokens) -> None:
    made = [(await tokens.create(f"số {number}")).token for number in range(3)]
    listed = await tokens.list()
    assert [token.created_ms for token in listed] == sorted(token.created_ms for token in made)
    assert {token.name for token in listed} == {token.name for token in made}


async def test_has_a_role_on_sites(tokens: Tokens) -> None:
    new = await tokens.create("CMS", "approver", sites=["demo", "tinh"])
    found = await tokens.verify(new.text)
    assert found is not None
    assert found.roles == {"demo": "approver", "tinh": "approver"}
    principal = found.principal("192.0.2.1")
    assert (principal.owner, principal.name, principal.address) == (new.token.id, "CMS", "192.0.2.1")
    assert (await tokens.create("all")).token.roles == {"*": "editor"}


async def test_one_of_an_earlier_release_is_one_for_all_sites(tokens: Tokens, redis: Redis, prefix: str) -> None:
    new = await tokens.create("CMS")
    stored = await redis.hget(TokenKeys(prefix).tokens, new.token.id)
    assert isinstance(stored, bytes)
    await redis.hset(TokenKeys(prefix).tokens, new.token.id, stored.replace(b'"sites":["*"],', b""))
    assert await tokens.verify(new.text) == new.token
    assert await tokens.list() == [new.token]


async def test_its_last_use_is_noted_once_a_minute_whatever_the_worker(redis: Redis, prefix: str) -> None:
    now = 1000.0
    workers = [Tokens(redis, prefix, clock=lambda: now) for _ in range(2)]
    new, unused = await workers[0].create("CMS"), await workers[0].create("other")
    assert await workers[0].used() == {}
    for worker in workers:
        await worker.verify(new.text)
    noted = await workers[0].used()
    assert noted.keys() == {new.token.id}
    assert noted[new.token.id] >= new.token.created_ms
    # A minute later by this worker's clock, not by the store's.
    now += 61
    await workers[0].verify(new.text)
    assert await workers[0].used() == noted
    await redis.hincrby(TokenKeys(prefix).used, new.token.id, -61_000)
    # This one looks at the store once a minute only.
    await workers[0].verify(new.text)
    assert (await workers[0].used())[new.token.id] < noted[new.token.id]
    now += 61
    await workers[0].verify(new.text)
    assert (await workers[0].used())[new.token.id] >= noted[new.token.id]
    await workers[1].verify(unused.text[:-1] + ("0" if unused.text[-1] != "0" else "1"))
    assert unused.token.id not in await workers[0].used()
    await workers[0].revoke(new.token.id)
    assert await workers[0].used() == {}


async def test_a_use_that_cannot_be_noted_is_no_refusal(tokens: Tokens, redis: Redis, prefix: str) -> None:
    new = await tokens.create("CMS")
    await redis.set(TokenKeys(prefix).used, "not a hash")
    assert await tokens.verify(new.text) == new.token
