"""The limits on heads, what aiohttp cannot parse, and guests that do not read."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import pytest

from gateway.heads import Guest
from tests.gateway.conftest import Client, House, Opener, page, upgrade
from tests.patience import until


def filled(size: int) -> bytes:
    """A request for a page whose head is so long."""
    return page("/page", "X-A: " + "a" * (size - len(page("/page", "X-A: "))))


async def test_a_head_as_long_as_allowed_and_one_byte_more(house: House) -> None:
    client = await house.connect_after_page()
    await client.send(filled(8192))
    assert (await client.answer()).status == 200
    await client.send(filled(8193))
    assert (await client.refused()).status == 431


@pytest.mark.parametrize("lines", [64, 65, 129, 300])
async def test_as_many_lines_as_allowed(house: House, lines: int) -> None:
    client = await house.connect_after_page()
    await client.send(page("/page", *[f"X-{n}: a" for n in range(lines - 1)]))
    assert (await client.answer()).status == (200 if lines == 64 else 431)


async def test_a_long_target(house: House) -> None:
    client = await house.connect_after_page()
    await client.send(page("/page?" + "a" * 9000))
    assert (await client.refused()).status == 431


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", page("/page", "a b: c")])
async def test_what_is_no_request_is_answered_and_is_no_error_of_ours(
    house: House, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await house.connect_after_page()
    await client.send(sent)
    answer = await client.refused()
    assert answer.status == answer.document["status"] == 400
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# -- guests that do not read


async def stuffed(house: House, request: bytes) -> tuple[Client, Guest]:
    """A client that asks until no more can be written to it and reads nothing, and its protocol."""
    client = await house.connect()
    client.writer.transport.pause_reading()
    for _ in range(10_000):
        client.writer.write(request)
        await asyncio.sleep(0)
        if house.door.slow:
            break
    (guest,) = house.door.slow
    assert isinstance(guest, Guest)
    return client, guest


@pytest.mark.parametrize("request_bytes", [page("/long"), page() * 100], ids=["a long answer", "many short ones"])
async def test_a_guest_that_does_not_read_is_ended(
    open_house: Opener, request_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.door.SWEEP_SECONDS", 0.01)
    house = await open_house()
    client, _ = await stuffed(house, request_bytes)
    # Only now: while it is being stuffed a busy machine may stand still for as long.
    house.door.adopt(msgspec.structs.replace(house.settings, slow_seconds=0.1))
    await until(lambda: not any(house.holds))
    assert house.door.stalled == 1
    assert not house.door.slow
    client.hang_up()


async def test_a_guest_that_reads_slowly_has_the_time_it_needs(house: House) -> None:
    client, guest = await stuffed(house, page("/long"))
    stuffed_at = guest.paused_at
    guest.look_at_buffer()
    assert guest.paused_at == stuffed_at
    held = guest._wire.get_write_buffer_size()
    client.writer.transport.resume_reading()
    reading = asyncio.create_task(client.gone())
    await until(lambda: guest._wire.get_write_buffer_size() < held)
    guest.look_at_buffer()
    assert guest.paused_at > stuffed_at or guest not in house.door.slow
    await until(lambda: not house.door.slow)
    assert house.door.stalled == 0
    client.hang_up()
    await reading


async def test_a_guest_that_has_become_a_session_is_watched_as_one(house: House) -> None:
    client = await house.connect_after_page()
    await client.send(upgrade())
    await client.opened()
    session = house.session()
    client.writer.transport.pause_reading()
    while not session.paused_at:
        session.send(b"\x82\x7e\x10\x00" + bytes(4096))
        await asyncio.sleep(0)
    assert house.door.slow == {session}
