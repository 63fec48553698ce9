from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters

from notifications.people.errors import TooManyHashes
from notifications.people.passwords import Cost, Hasher
from tests.notifications.people.conftest import CHEAP, PASSWORD


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    hasher = Hasher(CHEAP)
    yield hasher
    hasher.close()


async def test_the_right_one_and_no_other(hasher: Hasher) -> None:
    stored = await hasher.hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$")
    assert PASSWORD not in stored
    assert await hasher.check(stored, PASSWORD)
    assert not await hasher.check(stored, PASSWORD + " ")
    assert await hasher.hash(PASSWORD) != stored


async def test_it_does_not_matter_how_a_keyboard_writes_a_letter(hasher: Hasher) -> None:
    stored = await hasher.hash(unicodedata.normalize("NFD", PASSWORD))
    assert await hasher.check(stored, unicodedata.normalize("NFC", PASSWORD))


async def test_nobodys_password_costs_as_much_and_fits_nothing(hasher: Hasher) -> None:
    assert not await hasher.check(None, PASSWORD)
    nobody = extract_parameters(hasher._nobody)
    somebody = extract_parameters(await hasher.hash(PASSWORD))
    assert nobody == somebody


async def test_the_usual_cost_is_that_of_the_documentation() -> None:
    asked = extract_parameters(Hasher()._nobody)
    assert (asked.time_cost, asked.memory_cost, asked.parallelism) == (4, 32 * 1024, 1)


@pytest.mark.parametrize(
    "stored",
    ["", "x", "$argon2id$v=19$m=8,t=1,p=1$AAAA$", "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"],
)
async def test_what_we_have_not_written_fits_nothing_and_costs_no_more(hasher: Hasher, stored: str) -> None:
    assert not await hasher.check(stored, PASSWORD)


async def test_another_cost_is_found_out(hasher: Hasher) -> None:
    dearer = Hasher(Cost(passes=2, memory_kib=16))
    stored = await hasher.hash(PASSWORD)
    assert dearer.outdated(stored)
    assert not hasher.outdated(stored)
    assert await dearer.check(stored, PASSWORD)
    dearer.close()


async def test_a_flood_of_strangers_leaves_room_for_those_who_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(CHEAP, threads=1, queue=4)
    gate = threading.Event()

    def slow(stored: str, password: str) -> bool:
        return gate.wait(30)

    monkeypatch.setattr(hasher, "_argon", type("Slow", (), {"verify": staticmethod(slow)}))
    strangers = [asyncio.ensure_future(hasher.check(None, PASSWORD, stranger=True)) for _ in range(9)]
    await asyncio.sleep(0)
    known = [asyncio.ensure_future(hasher.check(None, PASSWORD)) for _ in range(2)]
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*strangers, return_exceptions=True)
    assert [isinstance(result, TooManyHashes) for result in results] == [False] * 3 + [True] * 6
    assert await asyncio.gather(*known) == [True, True]
    hasher.close()


async def test_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(CHEAP, threads=2, queue=3)
    gate = threading.Event()
    running, most = 0, 0
    lock = threading.Lock()
    verify = hasher._argon.verify

    def slow(stored: str, password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(30)
        with lock:
            running -= 1
        return verify(stored, password)

    stored = await hasher.hash(PASSWORD)
    monkeypatch.setattr(hasher, "_argon", type("Slow", (), {"verify": staticmethod(slow)}))
    tries = [asyncio.ensure_future(hasher.check(stored, PASSWORD)) for _ in range(5)]
    while running < 2:
        await asyncio.sleep(0.001)
    with pytest.raises(TooManyHashes) as refused:
        await hasher.check(stored, PASSWORD)
    assert refused.value.retry_seconds >= 1
    # Who hangs up makes room only where nothing runs yet.
    tries[0].cancel()
    tries[4].cancel()
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert results[1:4] == [True, True, True]
    assert most == 2
    while hasher._pending:
        await asyncio.sleep(0.001)
    assert await hasher.check(stored, PASSWORD)
    hasher.close()
