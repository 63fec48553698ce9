"""What aiohttp has to do with following over HTTP. What is said to inboxes is in test_inbox.py."""

from __future__ import annotations

import gc

import pytest

from gateway.events import EventSession
from gateway.heads import Guest
from tests.gateway.conftest import ORIGIN, House, Way, ask, page
from tests.gateway.test_events import following
from tests.patience import until


async def test_nothing_of_aiohttp_stays_with_it(house: House, way: Way) -> None:
    client, _ = await following(house, way)
    session = house.session()
    assert type(session) is EventSession
    assert session.transport.get_protocol() is session
    assert not hasattr(session, "__dict__")
    assert house.door.guests == 0
    # Of tests before this one some may wait for the collector.
    await until(lambda: gc.collect() >= 0 and not [one for one in gc.get_objects() if type(one) is Guest])
    client.hang_up()
    await until(lambda: house.door.sessions == 0)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
async def test_other_methods(house: House, method: str) -> None:
    for what in ("events", "poll"):
        client = await house.connect()
        await client.send(ask(what, "site=demo", method=method))
        answer = await client.answer() if method != "HEAD" else None
        if answer is not None:
            assert (answer.status, answer.headers["allow"]) == (405, "GET,OPTIONS")
        else:
            head = await client._reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(("path", "methods"), [("events", "GET"), ("poll", "GET"), ("say/0.x", "POST")])
@pytest.mark.parametrize("origin", [ORIGIN, "https://evil.example"])
async def test_preflights(house: House, path: str, methods: str, origin: str) -> None:
    client = await house.connect()
    query = "" if methods == "POST" else "site=demo"
    await client.send(ask(path, query, f"Access-Control-Request-Method: {methods}", method="OPTIONS", origin=origin))
    answer = await client.answer()
    assert answer.status == 204
    if origin != ORIGIN:
        assert not [name for name in answer.headers if name.startswith("access-control")]
        return
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == methods
    assert "Last-Event-ID" in answer.headers["access-control-allow-headers"]


async def test_the_same_connection_fetches_pages_and_then_follows(house: House) -> None:
    client = await house.connect_after_page()
    before = client.writer.get_extra_info("sockname")
    await client.send(page())
    assert (await client.answer()).status == 200
    await client.send(ask("events", "site=demo&path=/tin%2Fm%E1%BB%9Bi"))
    await client.followed()
    session = house.session()
    assert session.path == "/tin/mới"
    assert session.transport.get_extra_info("peername") == before


@pytest.mark.parametrize("target", ["/%65vents?site=demo", "/event%73?site=demo", "http://a.vn/events?site=demo"])
async def test_whoever_spells_it_otherwise_follows_as_well(house: House, target: str) -> None:
    """Neither the gate nor aiohttp hands it to the other for ever."""
    client = await house.connect()
    await client.send(ask("events", "site=demo").replace(b"/events?site=demo", target.encode(), 1))
    _, welcome = await client.followed()
    assert welcome["type"] == "welcome"
    assert (house.door.sessions, house.door.guests) == (1, 0)


@pytest.mark.parametrize("target", ["/p%6fll?site=demo", "/%70oll?site=demo", "http://a.vn/poll?site=demo"])
async def test_whoever_spells_it_otherwise_polls_as_well(house: House, target: str) -> None:
    client = await house.connect()
    await client.send(ask("poll", "site=demo").replace(b"/poll?site=demo", target.encode(), 1))
    assert (await client.polled())["messages"][0]["type"] == "welcome"


@pytest.mark.parametrize("target", ["/poll#x", "/%70oll", "/events#x"])
async def test_whoever_spells_it_otherwise_and_names_no_site_is_told_so(house: House, target: str) -> None:
    client = await house.connect()
    await client.send(ask("poll", "site=demo").replace(b"/poll?site=demo", target.encode(), 1))
    assert (await client.answer()).status == 404
    client.hang_up()
    await until(lambda: (house.door.guests, house.door.arrivals) == (0, 0))
