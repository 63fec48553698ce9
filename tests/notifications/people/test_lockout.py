"""How often may be guessed; and that nobody can keep another out."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from notifications.people.errors import MustWait
from notifications.people.keys import PeopleKeys
from notifications.people.lockout import (
    ADDRESS_FREE,
    BESIEGED,
    BESIEGED_WAIT_SECONDS,
    LONGEST_SECONDS,
    MAX_DEVICES,
    PAIR_FREE,
    Attempt,
    Lockout,
)


@pytest.fixture
def lockout(redis: Redis, prefix: str) -> Lockout:
    return Lockout(redis, prefix)


async def guess(
    lockout: Lockout, name: str = "an", address: str = "192.0.2.1", device: str = "", limited: bool = True
) -> Attempt:
    """A try that stays counted, as one with a wrong password does."""
    return await lockout.begin(name, address=address, limited=limited, device=device)


async def wait_over(redis: Redis, key: str) -> None:
    """As if the time to wait had passed."""
    await redis.hset(key, "until_ms", 0)


async def now_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds * 1000 + microseconds // 1000)


async def test_a_few_are_free_then_waits_grow(lockout: Lockout, redis: Redis, prefix: str) -> None:
    pair = PeopleKeys(prefix).tries("pair", "192.0.2.1", "an")
    for _ in range(PAIR_FREE - 1):
        await guess(lockout)
    assert not await redis.hexists(pair, "until_ms")
    for n in range(12):
        await wait_over(redis, pair)
        began_ms = await now_ms(redis)
        await guess(lockout)
        until_ms = int(await redis.hget(pair, "until_ms"))
        wait_ms = 1000 * min(2**n, LONGEST_SECONDS)
        assert began_ms + wait_ms <= until_ms <= await now_ms(redis) + wait_ms
    assert 0 < await redis.pttl(pair) <= 3_600_000


@pytest.mark.usefixtures("long_waits")
async def test_a_thousand_at_once_are_a_thousand(lockout: Lockout) -> None:
    tries = await asyncio.gather(*[guess(lockout) for _ in range(40)], return_exceptions=True)
    assert len([each for each in tries if isinstance(each, Attempt)]) == PAIR_FREE
    assert len([each for each in tries if isinstance(each, MustWait)]) == 40 - PAIR_FREE


@pytest.mark.usefixtures("long_waits")
async def test_who_waits_is_not_made_to_wait_longer_by_trying(lockout: Lockout, redis: Redis, prefix: str) -> None:
    pair = PeopleKeys(prefix).tries("pair", "192.0.2.1", "an")
    for _ in range(PAIR_FREE):
        await guess(lockout)
    until = await redis.hget(pair, "until_ms")
    for _ in range(5):
        with pytest.raises(MustWait) as refused:
            await guess(lockout)
        assert 30 < refused.value.seconds <= 60
    assert await redis.hget(pair, "until_ms") == until


@pytest.mark.usefixtures("long_waits")
async def test_one_password_on_many_names_stops_the_address(lockout: Lockout) -> None:
    for number in range(ADDRESS_FREE):
        await guess(lockout, f"name-{number}")
    with pytest.raises(MustWait):
        await guess(lockout, "another")
    await guess(lockout, "another", address="192.0.2.2")


@pytest.mark.usefixtures("long_waits")
async def test_an_exempt_address_has_no_count_of_its_own(lockout: Lockout) -> None:
    for number in range(ADDRESS_FREE + 5):
        await guess(lockout, f"name-{number}", limited=False)
    for _ in range(PAIR_FREE):
        await guess(lockout, "an", limited=False)
    with pytest.raises(MustWait):
        await guess(lockout, "an", limited=False)


@pytest.mark.usefixtures("long_waits")
async def test_a_right_password_takes_its_try_back_and_no_more(lockout: Lockout, redis: Redis, prefix: str) -> None:
    keys = PeopleKeys(prefix)
    for _ in range(3):
        await guess(lockout)
    await lockout.succeeded(await guess(lockout))
    assert not await redis.exists(keys.tries("pair", "192.0.2.1", "an"))
    assert await redis.hget(keys.tries("address", "192.0.2.1"), "n") == b"3"
    # Else whoever has an account themselves could guess others' passwords without end.
    for number in range(ADDRESS_FREE - 3):
        await guess(lockout, f"name-{number}")
        if number < ADDRESS_FREE - 4:
            await lockout.succeeded(await guess(lockout))
    with pytest.raises(MustWait):
        await guess(lockout)


class TestASiege:
    """Somebody guesses one person's password, from everywhere."""

    @pytest.fixture(autouse=True)
    async def siege(self, lockout: Lockout) -> None:
        for number in range(BESIEGED):
            await guess(lockout, address=f"203.0.113.{number}")

    async def test_an_address_has_one_try_then_a_long_wait(self, lockout: Lockout) -> None:
        await guess(lockout, address="198.51.100.1")
        with pytest.raises(MustWait) as refused:
            await guess(lockout, address="198.51.100.1")
        assert BESIEGED_WAIT_SECONDS - 5 < refused.value.seconds <= BESIEGED_WAIT_SECONDS

    async def test_the_person_comes_in_from_an_address_of_their_own(self, lockout: Lockout) -> None:
        attempt = await guess(lockout, address="192.0.2.1")
        assert await lockout.succeeded(attempt)

    async def test_other_names_are_untouched(self, lockout: Lockout) -> None:
        for _ in range(PAIR_FREE):
            await guess(lockout, "binh", address="198.51.100.1")

    async def test_it_is_forgotten_an_hour_after_it_began(self, lockout: Lockout, redis: Redis, prefix: str) -> None:
        key = PeopleKeys(prefix).tries("name", "an")
        await redis.pexpire(key, 60_000)
        await guess(lockout, address="198.51.100.1")
        assert await redis.pttl(key) <= 60_000


@pytest.mark.usefixtures("long_waits")
async def test_a_known_device_comes_in_through_everything(lockout: Lockout) -> None:
    """From the very address that guesses, at the name that is guessed, under siege."""
    device = await lockout.succeeded(await guess(lockout))
    for number in range(BESIEGED):
        await guess(lockout, address=f"203.0.113.{number}")
    for _ in range(ADDRESS_FREE * 2):
        with pytest.raises(MustWait):
            for _ in range(PAIR_FREE + 1):
                await guess(lockout)
    attempt = await guess(lockout, device=device)
    assert attempt.known
    assert await lockout.succeeded(attempt) != device


@pytest.mark.usefixtures("long_waits")
async def test_a_device_is_counted_too(lockout: Lockout) -> None:
    device = await lockout.succeeded(await guess(lockout))
    for _ in range(PAIR_FREE):
        await guess(lockout, device=device)
    with pytest.raises(MustWait):
        await guess(lockout, device=device)
    # Its waiting is no matter for others of that address.
    await guess(lockout)


@pytest.mark.parametrize("device", ["0" * 64, "x", "", "é" * 64])
async def test_an_invented_device_is_a_stranger(lockout: Lockout, device: str) -> None:
    await lockout.succeeded(await guess(lockout))
    assert not (await guess(lockout, device=device)).known


async def test_a_device_is_known_with_one_name_only(lockout: Lockout) -> None:
    device = await lockout.succeeded(await guess(lockout))
    assert not (await guess(lockout, "binh", device=device)).known


async def test_a_device_is_another_after_each_sign_in_and_few_are_remembered(
    lockout: Lockout, redis: Redis, prefix: str
) -> None:
    first = await lockout.succeeded(await guess(lockout))
    second = await lockout.succeeded(await guess(lockout, device=first))
    assert not (await guess(lockout, device=first)).known
    assert (await guess(lockout, device=second)).known
    key = PeopleKeys(prefix).devices("an")
    assert await redis.zcard(key) == 1
    for _ in range(MAX_DEVICES + 5):
        await lockout.succeeded(await guess(lockout))
    assert await redis.zcard(key) == MAX_DEVICES


async def test_names_and_addresses_are_not_readable_in_the_store(lockout: Lockout, redis: Redis, prefix: str) -> None:
    await guess(lockout, "nguyen.an", address="192.0.2.77")
    names = [name async for name in redis.scan_iter(match=f"{prefix}:*")]
    assert len(names) == 3
    assert not [name for name in names if b"nguyen" in name or b"192.0.2" in name]
