"""The route for reused connections: what is peculiar to it. What both ways do alike is in the other files."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from gateway import compat, listening
from gateway.compat import CompatSession
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.heads import neighbour
from gateway.hub import Hub
from gateway.session import Session
from gateway.settings import GatewaySettings
from tests.gateway.conftest import SITES, Client, House, page, upgrade
from tests.patience import until


async def test_the_same_connection_fetches_pages_and_then_upgrades(house: House) -> None:
    client = await house.connect_after_page()
    before = client.writer.get_extra_info("sockname")
    await client.send(page())
    assert (await client.answer()).status == 200
    await client.send(upgrade())
    await client.opened()
    session = house.session()
    assert isinstance(session, CompatSession)
    assert session.transport.get_extra_info("peername") == before


async def test_a_fresh_connection_never_sees_aiohttp(house: House) -> None:
    client = await house.connect()
    await client.send(upgrade())
    await client.opened()
    assert type(house.session()) is Session


async def test_a_refused_upgrade_ends_a_reused_connection(house: House) -> None:
    client = await house.connect_after_page()
    await client.send(upgrade("site=nobody") + page())
    assert (await client.refused()).status == 404


async def test_a_session_notices_by_itself_that_it_can_be_written_to_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.door.SWEEP_SECONDS", 0.01)
    client = await house.connect_after_page()
    await client.send(upgrade())
    await client.opened()
    session = house.session()
    client.writer.transport.pause_reading()
    while not session.paused_at:
        session.send(b"\x82\x7e\x10\x00" + bytes(4096))
        await asyncio.sleep(0)
    assert house.door.slow == {session}
    client.writer.transport.resume_reading()
    reading = asyncio.create_task(client.gone())
    # The sweep that ran when the house was opened may be asleep for its usual second.
    session.look_at_buffer()
    await until(lambda: session.look_at_buffer() or not session.paused_at)
    assert not house.door.slow
    client.hang_up()
    await reading


async def test_stopping_the_application_ends_its_sessions() -> None:
    settings = GatewaySettings()
    hub = Hub(settings.slow_bytes)
    desk = FrontDesk(settings, SITES, hub)
    parted: list[Session] = []
    desk.on_departure(parted.append)
    door = Door(settings, desk)
    app = web.Application()
    app.add_routes([compat.route(door)])
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    server = await listening.listen(door, neighbour(runner.server, settings), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    await client.send(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await client.answer()).status == 404
    await client.send(upgrade())
    await client.opened()
    server.close()
    await runner.cleanup()
    await client.gone()
    await until(lambda: door.sessions == 0)
    assert (len(parted), hub.total, len(door.wheel)) == (1, 0, 0)
    client.hang_up()
