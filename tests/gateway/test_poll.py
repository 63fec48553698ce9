"""Long-polling over real sockets, on a fresh connection and on one that aiohttp serves already."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import frames
from gateway.closing import CloseCode
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.following import Following
from gateway.hub import Hub
from gateway.inbox import Inboxes
from gateway.listening import drain
from gateway.poll import Mailbox, PollSession, begin
from gateway.settings import GatewaySettings
from gateway.translation import Translator
from tests.gateway.conftest import ORIGIN, SITES, Client, House, Opener, Way, ask
from tests.gateway.test_events import COUNT, NEWS, say
from tests.patience import until


async def begun(house: House, way: Way, query: str = "site=demo") -> tuple[Client, str]:
    """A client that has polled once, and the id of its session."""
    client = await way(house)
    await client.send(ask("poll", query))
    first = await client.polled()
    (welcome,) = first["messages"]
    assert (welcome["type"], welcome["inbox"]) == ("welcome", f"/say/{first['session']}")
    return client, first["session"]


async def wait(house: House, client: Client, id: str, more: str = "") -> PollSession:
    """Polls on, and returns the session once it waits."""
    session = house.inboxes._sessions[id]
    assert isinstance(session, PollSession)
    await client.send(ask("poll", f"site=demo&session={id}{more}"))
    await until(lambda: session._waiter is not None)
    return session


async def test_the_first_poll_is_answered_at_once(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(ask("poll"))
    answer = await client.answer()
    headers = dict(answer.headers)
    del headers["content-length"]
    assert headers == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": ORIGIN,
        "access-control-expose-headers": "Retry-After",
        "vary": "Origin",
    }
    told = json.loads(answer.body)
    assert list(told) == ["session", "seen", "messages"]
    assert house.door.by_way == {"websocket": 0, "sse": 0, "poll": 1}


async def test_a_poll_is_answered_when_there_is_something(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    await wait(house, client, id)
    assert house.door.guests == house.door.arrivals == 0
    house.hub.broadcast(NEWS, ("demo",), urgent=True)
    assert await client.polled() == {"session": id, "seen": 2, "messages": [json.loads(NEWS)]}


async def test_what_comes_between_two_polls_waits(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    (session,) = house.polling
    for online in range(9):
        session.send(frames.text(b'{"type":"presence","online":%d}' % online))
    session.send(frames.text(NEWS))
    session.send(frames.text(b'{"type":"presence","scope":"page","path":"/","online":1}'))
    await client.send(ask("poll", f"site=demo&session={id}"))
    messages = (await client.polled())["messages"]
    assert [message["type"] for message in messages] == ["presence", "announcement", "presence"]
    assert messages[0]["online"] == 8


async def test_a_number_alone_waits_a_little(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    session = await wait(house, client, id)
    house.hub.broadcast(COUNT, ("demo",), urgent=False)
    await until(lambda: session.mailbox)
    assert session._waiter is not None
    # As if it had been answered long ago.
    session._answered_at = session._due_at = 0.0
    house.hub.broadcast(b'{"type":"presence","online":8}', ("demo",), urgent=False)
    assert (await client.polled())["messages"] == [{"type": "presence", "online": 8}]


async def test_a_poll_for_which_nothing_comes_is_answered_all_the_same(open_house: Opener, way: Way) -> None:
    house = await open_house(poll_seconds=0.05)
    client, id = await begun(house, way)
    for number in (2, 3):
        await client.send(ask("poll", f"site=demo&session={id}"))
        assert await client.polled() == {"session": id, "seen": number, "messages": []}


async def test_a_session_that_is_not_polled_is_over(open_house: Opener, way: Way) -> None:
    house = await open_house(pong_seconds=0.05)
    client, id = await begun(house, way)
    await until(lambda: house.door.sessions == 0)
    assert house.door.vanished == 1
    await client.send(ask("poll", f"site=demo&session={id}"))
    answer = await client.refused()
    assert (answer.status, answer.document["reason"]) == (404, "session")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


async def test_whoever_hangs_up_while_it_waits_has_left(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    await wait(house, client, id)
    client.hang_up()
    await until(lambda: house.door.sessions == 0)
    assert house.door.vanished == 0


async def test_a_second_poll_takes_the_place_of_the_first(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    session = await wait(house, client, id)
    other = await way(house)
    await other.send(ask("poll", f"site=demo&session={id}"))
    assert (await client.polled())["messages"] == []
    client.hang_up()
    house.hub.broadcast(NEWS, ("demo",), urgent=True)
    assert (await other.polled())["messages"] == [json.loads(NEWS)]
    assert not session.closing


async def test_an_answer_that_was_lost_is_told_again(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    (session,) = house.polling
    session.send(frames.text(NEWS))
    session.send(frames.text(COUNT))
    await client.send(ask("poll", f"site=demo&session={id}&seen=1"))
    assert len((await client.polled())["messages"]) == 2
    # The answer 2 never came; meanwhile the number has changed.
    session.send(frames.text(b'{"type":"presence","online":8}'))
    await client.send(ask("poll", f"site=demo&session={id}&seen=1"))
    again = await client.polled()
    assert again == {"session": id, "seen": 3, "messages": [json.loads(NEWS), {"type": "presence", "online": 8}]}
    # It has come now, and is not told once more.
    await wait(house, client, id, "&seen=3")
    session.send(frames.text(b'{"type":"x"}'))
    assert (await client.polled())["messages"] == [{"type": "x"}]


async def test_a_reader_is_one_by_its_second_poll(house: House, way: Way) -> None:
    answered: list[object] = []
    house.desk.on_answer(answered.append)
    client, id = await begun(house, way)
    (session,) = house.polling
    assert answered == []
    await wait(house, client, id)
    assert answered == [session]


async def test_it_speaks_by_its_inbox(house: House, way: Way) -> None:
    _, id = await begun(house, way)
    assert await say(house, f"/say/{id}", {"type": "page", "path": "/b"}) == 204
    assert house.session().path == "/b"


async def test_too_much_for_a_browser_that_does_not_ask(open_house: Opener, way: Way) -> None:
    house = await open_house(slow_bytes=16384)
    await begun(house, way)
    for number in range(40):
        house.hub.broadcast(b'{"type":"x","n":%d,"said":"%b"}' % (number, b"a" * 1000), ("demo",), urgent=True)
    await until(lambda: house.door.sessions == 0)
    assert house.door.stalled == 1


async def test_draining_tells_those_who_wait_and_those_who_come_back(house: House, way: Way) -> None:
    waiting, id = await begun(house, way)
    await wait(house, waiting, id)
    away, other_id = await begun(house, way)
    draining = asyncio.create_task(drain(house.door, house.desk, house.hub, 5.0))
    (close,) = (await waiting.polled())["messages"]
    assert (close["type"], close["code"]) == ("close", 1012)
    assert close["retry_ms"] > 0
    await away.send(ask("poll", f"site=demo&session={other_id}"))
    assert (await away.polled())["messages"][0]["code"] == 1012
    assert await draining == 2
    await away.send(ask("poll"))
    assert (await away.refused()).document["reason"] == "draining"


async def test_polling_all_the_time_is_too_much(open_house: Opener, way: Way) -> None:
    house = await open_house(messages_per_second=1.0, message_burst=2)
    _, id = await begun(house, way)
    (session,) = house.polling
    # Each takes the place of the one before, which is answered with nothing.
    clients: list[Client] = []
    while not session.closing:
        clients.append(await way(house))
        before = session._waiter
        await clients[-1].send(ask("poll", f"site=demo&session={id}"))
        await until(lambda before=before: session._waiter is not before or session.closing)
    assert (await clients[-1].polled())["messages"][0]["code"] == 1008
    assert house.door.closes[CloseCode.FLOOD] == 1


async def test_who_asks_again_after_each_of_many_news_does_not_ask_too_much(
    open_house: Opener, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.poll.BURST_SECONDS", 0.03)
    house = await open_house(messages_per_second=50.0, message_burst=50)
    client, id = await begun(house, way)
    (session,) = house.polling
    for _ in range(120):
        session.send(frames.text(NEWS))
        await client.send(ask("poll", f"site=demo&session={id}"))
        assert (await client.polled())["messages"] == [json.loads(NEWS)]
    assert house.door.closes[CloseCode.FLOOD] == 0


@pytest.mark.parametrize(
    "query",
    ["site=demo&session=0.AAAAAAAAAAAAAAAAAAAAAA", "site=demo&session=x", "site=demo&session=7.AAAAAAAAAAAAAAAAAAAAAA"],
)
async def test_an_unknown_session(house: House, way: Way, query: str) -> None:
    client = await way(house)
    await client.send(ask("poll", query))
    answer = await client.refused()
    assert (answer.status, answer.document["reason"]) == (404, "session")


async def test_who_guesses_sessions_is_made_to_wait_and_who_has_one_is_answered(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=2, exempt_networks=[], messages_per_second=0.01, message_burst=20)
    mine, id = await begun(house, way)
    told = []
    for _ in range(3):
        client = await way(house)
        await client.send(ask("poll", "site=demo&session=0.AAAAAAAAAAAAAAAAAAAAAA"))
        answer = await client.refused()
        told.append((answer.status, answer.document["reason"]))
        client.hang_up()
        # But for the one whose next poll is waited for.
        await until(lambda: house.door.arrivals <= 1 and not house.door.guests)
    assert told == [(404, "session"), (404, "session"), (429, "misses")]
    (session,) = house.polling
    session.send(frames.text(NEWS))
    await mine.send(ask("poll", f"site=demo&session={id}"))
    assert (await mine.polled())["messages"][0]["type"] == "announcement"


async def test_a_session_is_of_one_site_and_of_one_way(house: House, way: Way) -> None:
    client, id = await begun(house, way)
    await client.send(ask("poll", f"site=other&session={id}", origin="http://a.example.vn"))
    assert (await client.refused()).status == 404
    client = await way(house)
    await client.send(ask("poll", f"site=demo&session={id}", origin="https://evil.example"))
    assert (await client.refused()).status == 403
    stream = await way(house)
    await stream.send(ask("events"))
    _, welcome = await stream.followed()
    client = await way(house)
    await client.send(ask("poll", f"site=demo&session={welcome['inbox'].removeprefix('/say/')}"))
    assert (await client.refused()).status == 404


async def test_limits_are_those_of_sessions(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=1, exempt_networks=[])
    client, _ = await begun(house, way)
    await client.send(ask("poll"))
    answer = await client.refused()
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")


def test_a_mailbox_keeps_the_newest_of_each_number_and_all_else() -> None:
    mailbox = Mailbox(Translator())
    for online in range(100):
        mailbox.write(frames.text(b'{"type":"presence","online":%03d}' % (100 + online)))
        mailbox.write(frames.text(b'{"type":"presence","scope":"page","path":"/a","online":1}'))
    assert not mailbox.urgent
    size = mailbox.get_write_buffer_size()
    mailbox.write(frames.text(NEWS))
    mailbox.write(frames.text(NEWS))
    assert mailbox.urgent
    assert mailbox.get_write_buffer_size() == size + 2 * len(NEWS)
    assert [json.loads(telling.text).get("online") for telling in mailbox.take()] == [199, 1, None, None]
    assert (bool(mailbox), mailbox.urgent, mailbox.get_write_buffer_size()) == (False, False, 0)


async def test_a_session_is_slots(house: House, way: Way) -> None:
    await begun(house, way)
    session = house.session()
    for one in (session, session.mailbox):
        assert not hasattr(one, "__dict__")


class Poll:
    """A poll without a connection."""

    def __init__(self, seen: int | None) -> None:
        self.ticket = "t"
        self.seen = seen
        self.body: bytes | None = b""

    def answer(self, body: bytes | None) -> None:
        self.body = body


@pytest.mark.slow
@given(st.lists(st.sampled_from(["news", "number", "answered", "lost"]), max_size=30))
def test_whatever_answers_are_lost_everything_is_heard_in_order(steps: list[str]) -> None:
    asyncio.run(_lossy(steps))


async def _lossy(steps: list[str]) -> None:
    settings = GatewaySettings(messages_per_second=1000.0, message_burst=1000)
    hub = Hub(settings.slow_bytes)
    desk = FrontDesk(settings, SITES, hub)
    door = Door(settings, desk)
    Inboxes(door, desk)
    session = begin(
        door,
        Following("1.1", b"site=demo", {}),
        "127.0.0.1",
    )
    seen: int | None = None
    heard: list[int] = []
    said, number, shown = 0, 0, 0
    # The first answer arrives, or there would be no session to go on with.
    for step in ["answered", *steps, "answered"]:
        if step == "news":
            said += 1
            session.send(frames.text(b'{"type":"announcement","n":%d}' % said))
        elif step == "number":
            number += 1
            session.send(frames.text(b'{"type":"presence","online":%d}' % number))
        else:
            poll = Poll(seen)
            assert session.polled(poll)
            if not poll.body:
                # For numbers alone, and for nothing at all, it waits.
                session.due(door.clock())
            assert poll.body
            if step == "lost":
                continue
            told = json.loads(poll.body)
            seen = told["seen"]
            for message in told["messages"]:
                if message["type"] == "presence":
                    assert message["online"] >= shown
                    shown = message["online"]
                elif message["type"] == "announcement" and message["n"] not in heard:
                    heard.append(message["n"])
    assert heard == [*range(1, said + 1)]
    assert shown == number
    session.abort()
    await asyncio.sleep(0)
    assert (door.sessions, hub.total, len(door.wheel)) == (0, 0, 0)
