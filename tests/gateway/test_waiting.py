"""The connection of a poll: what may come on it before, meanwhile and after. What it is told is in test_poll.py."""

from __future__ import annotations

import json

import pytest

from tests.gateway.conftest import House, Opener, Way, ask, page, said, upgrade
from tests.gateway.test_events import NEWS
from tests.gateway.test_poll import begun, wait
from tests.patience import until


async def test_another_request_may_follow_on_the_connection(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    await wait(house, client, id)
    await client.send(page() + page())
    house.hub.broadcast(NEWS, ("demo",), urgent=True)
    assert (await client.polled())["messages"]
    assert [(await client.answer()).status, (await client.answer()).status] == [200, 200]
    await client.send(upgrade() + said({"type": "page", "path": "/a"}))
    await client.opened()


@pytest.mark.parametrize("spelling", ["HTTP/1.0", "close"])
async def test_a_connection_that_is_not_kept(house: House, way: Way, spelling: str) -> None:
    client = await way(house)
    more = ("Connection: close",) if spelling == "close" else ()
    await client.send(ask("poll", "site=demo", *more, http="1.1" if more else "1.0"))
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    await client.ended()


async def test_that_no_other_request_comes_is_no_fault(open_house: Opener) -> None:
    house = await open_house(handshake_seconds=0.1)
    client = await house.connect()
    await client.send(ask("poll"))
    await client.polled()
    await client.gone()
    assert house.door.handshakes == {"accepted": 1}


async def test_whoever_sends_without_end_while_it_waits_is_cut_off(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    await wait(house, client, id)
    await client.send(page() * 300)
    await client.gone()
    await until(lambda: house.door.sessions == 0)


async def test_a_poll_in_the_packet_of_the_one_before(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    (session,) = house.polling
    await client.send(ask("poll", f"site=demo&session={id}") * 2)
    await until(lambda: session._waiter is not None)
    house.hub.broadcast(NEWS, ("demo",), urgent=True)
    assert (await client.polled())["messages"] == [json.loads(NEWS)]
    await until(lambda: session._waiter is not None)
    house.hub.broadcast(NEWS, ("demo",), urgent=True)
    assert (await client.polled())["seen"] == 3


MANY = b"GET /poll?site=demo HTTP/1.1\r\nHost: a\r\n\r\n" * 170


async def test_many_polls_in_one_packet_are_one_after_the_other(house: House) -> None:
    client = await house.connect()
    await client.send(MANY)
    for _ in range(170):
        assert (await client.answer()).status in (200, 429)
    client.hang_up()
    await until(lambda: house.door.arrivals == 0)
    assert 0 < house.door.sessions <= house.door.settings.sessions_per_address


async def test_many_polls_behind_one_that_waits_do_not_stop_the_timer(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    (session,) = house.polling
    await client.send(ask("poll", f"site=demo&session={id}") + MANY)
    await until(lambda: session._waiter is not None)
    # As the wheel would: everything behind it is read in the stack of whoever has it answered.
    session.due(house.door.clock())
    assert (await client.polled())["messages"] == []
    for _ in range(170):
        assert (await client.answer()).status in (200, 429)
    client.hang_up()
    await until(lambda: house.door.arrivals == 0)
