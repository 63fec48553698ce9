"""The limits on heads, and what aiohttp cannot parse."""

from __future__ import annotations

import logging

import pytest

from tests.gateway.conftest import House, page


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
