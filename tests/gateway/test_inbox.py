"""Inboxes: what browsers may say there, and how a worker answers for another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from gateway import frames
from gateway.inbox import Inboxes
from tests.gateway.conftest import ORIGIN, Client, House, Opener, addresses, ask
from tests.gateway.test_events import NEWS, say
from tests.patience import until


async def followed(house: House) -> str:
    """The inbox of a reader that follows by events."""
    client = await house.connect()
    await client.send(ask("events"))
    _, welcome = await client.followed()
    inbox: str = welcome["inbox"]
    return inbox


async def posted(house: House, inbox: str, *more: str, **spelling: Any) -> tuple[int, dict[str, str], bytes]:
    """What posting there is answered."""
    client = await house.connect()
    await client.send(ask(inbox[1:], "", *more, **{"method": "POST", **spelling}))
    answer = await client.answer()
    return answer.status, answer.headers, answer.body


def hurry(house: House) -> None:
    """From now on it hardly waits for what is about to come; who is there already need not be quick."""
    house.door.adopt(msgspec.structs.replace(house.door.settings, handshake_seconds=0.05))


async def test_the_answer_has_no_content_and_ends_the_connection(house: House) -> None:
    status, headers, body = await posted(house, await followed(house), body=b'{"type":"state","state":"idle"}')
    assert (status, body) == (204, b"")
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["cache-control"] == "no-store"
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    ("status", "spelling"),
    [
        (403, {"origin": "https://evil.example"}),
        # Of another site.
        (403, {"origin": "http://a.example.vn"}),
        (413, {"body": b"a" * 4097}),
        (204, {"body": b"\xff\xfe"}),
        (204, {"origin": None}),
        (405, {"method": "GET"}),
        (405, {"method": "HEAD"}),
        (405, {"method": "PUT", "body": b"{}"}),
    ],
)
async def test_what_is_refused(house: House, status: int, spelling: dict[str, Any]) -> None:
    inbox = await followed(house)
    if spelling.get("method") == "HEAD":
        client = await house.connect()
        await client.send(ask(inbox[1:], "", method="HEAD"))
        assert (await client._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 405 ")
        return
    told, headers, body = await posted(house, inbox, **spelling)
    assert told == status
    if status != 204:
        assert json.loads(body)["status"] == status
    if status == 403 and spelling["origin"].startswith("https"):
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("name", ["", "x", "0.", "0.AAAAAAAAAAAAAAAAAAAAAA", "9.AAAAAAAAAAAAAAAAAAAAAA", "a/b"])
async def test_there_is_no_such_inbox(house: House, name: str) -> None:
    status, _, body = await posted(house, f"/say/{name}", body=b"{}")
    assert (status, json.loads(body)["status"]) == (404, 404)


WRONG = "/say/0.AAAAAAAAAAAAAAAAAAAAAA"


async def test_who_guesses_inboxes_is_made_to_wait_and_who_has_one_is_heard(open_house: Opener) -> None:
    house = await open_house(
        sessions_per_address=2, exempt_networks=[], messages_per_second=0.01, message_burst=20, other_connections=100
    )
    inbox = await followed(house)
    assert [(await posted(house, WRONG, body=b"{}"))[0] for _ in range(3)] == [404, 404, 429]
    status, headers, body = await posted(house, WRONG, body=b"{}")
    assert (status, json.loads(body)["reason"]) == (429, "misses")
    assert 1 <= int(headers["retry-after"]) <= 100
    assert headers["access-control-allow-origin"] == ORIGIN
    assert (await posted(house, inbox, body=b'{"type":"state","state":"idle"}'))[0] == 204


async def test_signs_of_life_are_messages_too(open_house: Opener) -> None:
    house = await open_house(messages_per_second=0.01, message_burst=2)
    client = await house.connect()
    await client.send(ask("events"))
    _, welcome = await client.followed()
    statuses = [(await posted(house, welcome["inbox"], body=b""))[0] for _ in range(3)]
    assert statuses == [204, 204, 204]
    assert (await client.told())["code"] == 1008


async def test_a_message_without_end_is_not_waited_for(house: House) -> None:
    inbox = await followed(house)
    client = await house.connect()
    await until(lambda: house.door.arrivals == 1)
    hurry(house)
    await client.send(ask(inbox[1:], "", "Content-Length: 100", method="POST") + b"{")
    assert (await client.answer()).status == 408


async def test_too_many_messages_end_the_session(open_house: Opener) -> None:
    house = await open_house(messages_per_second=0.01, message_burst=2)
    client = await house.connect()
    await client.send(ask("events"))
    _, welcome = await client.followed()
    statuses = [await say(house, welcome["inbox"], {"type": "state", "state": "idle"}) for _ in range(3)]
    assert statuses == [204, 204, 204]
    assert (await client.told())["code"] == 1008
    assert await say(house, welcome["inbox"], {"type": "state", "state": "idle"}) == 404


async def test_text_that_is_not_utf_8_is_ignored_and_ends_nothing(house: House) -> None:
    inbox = await followed(house)
    ignored, client = house.desk.ignored, await house.connect()
    body = b'{"type":"state","state":"\xff"}'
    await client.send(ask(inbox[1:], "", f"Content-Length: {len(body)}", method="POST") + body)
    assert (await client.answer()).status == 204
    assert (house.desk.ignored, house.door.sessions, dict(house.door.closes)) == (ignored + 1, 1, {})


async def test_a_listener_that_fails_is_not_the_browsers_fault(house: House) -> None:
    def fail(session: object) -> None:
        raise RuntimeError("secret")

    house.desk.on_answer(fail)
    inbox = await followed(house)
    assert await say(house, inbox, {"type": "state", "state": "idle"}) == 204


# -- two workers


class Wire:
    """Between the two workers of a test, in the place of the supervisor."""

    def __init__(self) -> None:
        self.houses: list[House] = []
        self.questions: list[asyncio.Future[str | None]] = []
        self.cut = False

    def ask(self, worker: int, question: str) -> asyncio.Future[str | None]:
        """See gateway.inbox.Relay."""
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.questions.append(future)
        if worker >= len(self.houses):
            future.set_result(None)
        elif not self.cut:
            self.houses[worker].inboxes.asked(question, _settle(future))
        return future


def _settle(future: asyncio.Future[str | None]) -> Callable[[str], None]:
    return lambda told: None if future.done() else future.set_result(told)


@pytest.fixture
async def wire(open_house: Opener) -> AsyncIterator[Wire]:
    wire = Wire()
    for index in range(2):
        house = await open_house()
        Inboxes(house.door, house.desk, worker=index, relay=wire)
        # The routes were made for those that the house came with.
        wire.houses.append(house)
    yield wire


async def polling(house: House, query: str = "site=demo") -> Client:
    client = await house.connect()
    await client.send(ask("poll", query))
    return client


async def test_a_poll_goes_on_with_a_session_of_another_worker(wire: Wire) -> None:
    here, there = wire.houses
    first = await polling(there)
    id = (await first.polled())["session"]
    assert id.startswith("1.")
    client = await polling(here, f"site=demo&session={id}")
    (session,) = there.polling
    await until(lambda: session._waiter is not None)
    assert (here.door.guests, here.door.sessions, there.door.sessions) == (1, 0, 1)
    session.send(frames.text(NEWS))
    assert (await client.polled())["messages"] == [json.loads(NEWS)]
    assert here.door.guests == 0


async def test_whoever_hangs_up_at_another_worker_has_left(wire: Wire) -> None:
    here, there = wire.houses
    id = (await (await polling(there)).polled())["session"]
    client = await polling(here, f"site=demo&session={id}")
    (session,) = there.polling
    await until(lambda: session._waiter is not None)
    client.hang_up()
    await until(lambda: there.door.sessions == 0)
    assert not addresses(here.door)
    # Nothing is waited for any more: what is never answered stays with the worker and with whoever passed it on.
    await until(lambda: all(question.done() for question in wire.questions))


async def test_a_worker_that_has_ended_has_no_sessions(wire: Wire) -> None:
    here, there = wire.houses
    id = (await (await polling(there)).polled())["session"]
    wire.cut = True
    client = await polling(here, f"site=demo&session={id}")
    await until(lambda: wire.questions)
    wire.questions[-1].set_result(None)
    assert (await client.refused()).status == 404
    client = await polling(here, f"site=demo&session=7.{id[2:]}")
    assert (await client.refused()).status == 404


async def test_an_inbox_of_another_worker(wire: Wire) -> None:
    here, there = wire.houses
    client = await there.connect()
    await client.send(ask("events"))
    _, welcome = await client.followed()
    id = welcome["inbox"].removeprefix("/say/")
    said = b'{"type":"page","path":"/b"}'
    assert await here.inboxes.say(id, ORIGIN, said) == 204
    assert there.session().path == "/b"
    assert there.session().answered
    assert await here.inboxes.say(id, "https://evil.example", said) == 403
    assert await here.inboxes.say("7" + id[1:], ORIGIN, said) == 404
    hurry(here)
    wire.cut = True
    assert await here.inboxes.say(id, ORIGIN, said) == 503
