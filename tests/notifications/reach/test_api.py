from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis

from gateway.problems import problems
from gateway.tasks import Caretaker
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.editorial import Editorial
from notifications.log import Log
from notifications.reach import live as watching
from notifications.reach.api import LOOK_SECONDS, PATH, SEVERAL_PATH, STREAM_PATH, ReachApi
from notifications.reach.audience import PATH as AUDIENCE_PATH
from notifications.reach.audience import AudienceApi
from notifications.reach.audience_query import Wanted
from notifications.reach.description import AUDIENCE, DESCRIBED, REACH
from notifications.reach.ledger import Ledger
from notifications.reach.live import QUIET_SECONDS, Live
from notifications.reach.outbox import Entry
from notifications.reach.sums import Sums, encode
from notifications.tokens import Tokens
from notifications.trail import Trail
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import by, draft
from tests.notifications.service import SITES, Answer, Editor
from tests.patience import until


class Found:
    """What the workers say."""

    readers, pages, exact, as_of = 12, 3, True, "2026-11-27T08:00:00.000Z"


class Room:
    """The API of reach, and an editor."""

    def __init__(self, http: aiohttp.ClientSession, editor: Editor, log: Log, ledger: Ledger, live: Live) -> None:
        self.http = http
        self.editor = editor
        self.log = log
        self.ledger = ledger
        self.live = live
        self.wanted: list[Wanted] = []
        self.found: Found | None = Found()

    async def estimate(self, wanted: Wanted) -> Any:
        self.wanted.append(wanted)
        return self.found

    async def publish(self) -> Announcement:
        return (await self.log.create(draft(), "publish", by=by("t"))).announcement

    async def grow(self, one: Announcement, number: int, connected: int) -> None:
        payload = encode(number, {1: Sums(connected=connected)})
        await self.ledger.apply(
            [Entry(one.id, "run", number, payload, one.expires_ms, {"rendered": {b"12345678"}}, True)]
        )


@contextlib.asynccontextmanager
async def serving(redis: Redis, prefix: str, stream_seconds: float = 300.0) -> AsyncIterator[Room]:
    log, tokens, ledger = Log(redis, prefix, SETTINGS), Tokens(redis, prefix), Ledger(redis, prefix, 90)
    admission = Admission(tokens, SETTINGS, lambda request: "", lambda request: "")
    live, caretaker = Live(ledger, poll_seconds=0.01, quiet_seconds=0.02), Caretaker()
    app = web.Application(middlewares=[problems])
    app.add_routes(
        ReachApi(
            ledger,
            live,
            Editorial(log, Trail(redis, prefix)),
            admission,
            stream_seconds=stream_seconds,
            look_seconds=0.0,
        ).routes()
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as http:
        room = Room(http, Editor(http, "", (await tokens.create("test")).text), log, ledger, live)
        app.add_routes(AudienceApi(room.estimate, admission, SITES, 0.0078).routes())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        room.editor.base = f"http://{host}:{port}"
        caretaker.start("reach watched", live.loop)
        try:
            yield room
            assert not caretaker.failures
        finally:
            await caretaker.stop()
            await runner.cleanup()


@pytest.fixture
async def room(valkey: Redis, prefix: str) -> AsyncIterator[Room]:
    async with serving(valkey, prefix) as room:
        yield room


async def get(room: Room, path: str, token: str | None = None) -> Answer:
    return await room.editor.send("GET", path, headers={} if token is None else {"Authorization": f"Bearer {token}"})


async def test_the_reach_is_as_described(room: Room) -> None:
    one = await room.publish()
    await room.grow(one, 1, 7)
    answer = await get(room, f"/{one.id}/reach")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert list(answer.json) == REACH["required"] == [*REACH["properties"]]
    assert (answer.json["connected"], answer.json["rendered"], answer.json["error"]) == (7, 1, 0.0081)
    assert len(answer.json["by_second"]) == 60


async def test_what_nobody_was_told_yet_has_a_reach_of_nothing(room: Room) -> None:
    one = (await room.log.create(draft(), "draft", by=by("t"))).announcement
    answer = await get(room, f"/{one.id}/reach")
    assert (answer.status, answer.json["revision"], answer.json["connected"], answer.json["p99_ms"]) == (
        200,
        1,
        0,
        None,
    )


@pytest.mark.parametrize("end", ["reach", "reach/stream"])
async def test_only_who_may_see_an_announcement_sees_whom_it_reached(room: Room, end: str) -> None:
    one = await room.publish()
    assert (await get(room, f"/{one.id}/{end}", "loa_wrong")).status == 401
    assert (await get(room, f"/{'0' * 26}/{end}")).status == 404
    assert (await get(room, f"/nonsense/{end}")).status == 404


async def several(room: Room, *query: tuple[str, str], token: str = "") -> Answer:
    headers = {"Authorization": f"Bearer {token or room.editor.token}"}
    async with room.http.get(room.editor.base + SEVERAL_PATH, params=query, headers=headers) as response:
        return Answer(response.status, response.headers, await response.read())


async def test_several_are_told_at_once_as_each_by_itself(room: Room, valkey: Redis, prefix: str) -> None:
    first, second = await room.publish(), await room.publish()
    await room.grow(first, 1, 5)
    foreign = (await room.log.create(draft(sites=("tinh",)), "publish", by=by("t"))).announcement
    asked = [("id", id) for id in (second.id, "0" * 26, foreign.id, first.id)]
    told = await several(room, *asked)
    assert told.status == 200
    assert [one["id"] for one in told.json["found"]] == [second.id, foreign.id, first.id]
    # Nothing of what is not there for whoever asks.
    theirs = await Tokens(valkey, prefix).create("of one site", "viewer", sites=("demo",))
    told = await several(room, *asked, token=theirs.text)
    assert [one["id"] for one in told.json["found"]] == [second.id, first.id]
    for one in told.json["found"]:
        alone = (await get(room, f"/{one['id']}/reach")).json
        assert one | {"as_of": ""} == alone | {"as_of": ""}
    assert (await several(room, ("id", "0" * 26))).json == {"found": []}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ([], {"id": "name at least one announcement"}),
        ([("id", "x")], {"id": "an id is 26 lower-case letters and digits"}),
        ([("id", f"{number:026}") for number in range(101)], {"id": "may be given at most 100 times"}),
        ([("id", "0" * 26)] * 101, {"id": "may be given at most 100 times"}),
        ([("ids", "0" * 26)], {"ids": "is not known here; there is: id", "id": "name at least one announcement"}),
    ],
)
async def test_a_query_for_several_that_is_wrong_is_told_so(
    room: Room, query: list[tuple[str, str]], says: dict[str, str]
) -> None:
    told = await several(room, *query)
    assert told.status == 422
    assert {one["field"]: one["detail"] for one in told.json["errors"]} == says


async def test_whoever_watches_is_told_of_each_change_and_all_who_do_are_one_question(room: Room) -> None:
    one = await room.publish()
    url = f"{room.editor.base}{PATH.replace('{id}', one.id)}/stream"
    headers = {"Authorization": f"Bearer {room.editor.token}"}

    async def told(stream: aiohttp.ClientResponse) -> Any:
        async for line in stream.content:
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        raise AssertionError("the stream has ended")

    async with room.http.get(url, headers=headers) as first, room.http.get(url, headers=headers) as second:
        assert first.headers["Content-Type"] == "text/event-stream"
        assert ((await told(first))["connected"], (await told(second))["connected"]) == (0, 0)
        await room.grow(one, 1, 5)
        assert ((await told(first))["connected"], (await told(second))["connected"]) == (5, 5)
        assert (room.live.watchers, len(room.live._watched)) == (2, 1)
    await until(lambda: room.live.watchers == 0)
    assert not room.live._watched


async def test_nobody_watches_means_nothing_is_asked(room: Room) -> None:
    one = await room.publish()
    with room.live.watching(one) as changes:
        # Nothing is told of a moment in which nothing was new, as while the store is slow to answer the first question.
        while await anext(changes) is None:
            pass
        await changes.aclose()
    asked = room.live.asked
    await room.grow(one, 1, 5)
    await get(room, f"/{one.id}/reach")
    assert room.live.asked <= asked + 1


async def test_more_than_so_many_may_not_watch(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_WATCHERS", 0)
    one = await room.publish()
    answer = await get(room, f"/{one.id}/reach/stream")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_a_stream_ends_so_that_its_client_is_asked_again_who_it_is(valkey: Redis, prefix: str) -> None:
    async with serving(valkey, prefix, stream_seconds=0.05) as room:
        one = await room.publish()
        answer = await get(room, f"/{one.id}/reach/stream")
        assert (answer.status, answer.body[:7]) == (200, b"retry: ")
        await until(lambda: room.live.watchers == 0)


async def test_a_stream_ends_also_where_the_store_s_client_loses_that_it_is_to_end(
    valkey: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As redis-py does on Python 3.11 where an answer comes at the same moment."""
    reader, lost = Admission.reader, asyncio.Event()

    async def losing(self: Admission, request: web.Request, *, used: bool = True) -> Any:
        if not used:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            lost.set()
        return await reader(self, request, used=used)

    monkeypatch.setattr(Admission, "reader", losing)
    async with serving(valkey, prefix, stream_seconds=0.05) as room:
        one = await room.publish()
        assert (await get(room, f"/{one.id}/reach/stream")).status == 200
        assert lost.is_set()
        await until(lambda: room.live.watchers == 0)


async def test_a_stream_ends_with_the_right_to_it(valkey: Redis, prefix: str) -> None:
    # Also where nothing is told.
    assert LOOK_SECONDS + QUIET_SECONDS <= 5
    async with serving(valkey, prefix) as room:
        one = await room.publish()
        tokens = Tokens(valkey, prefix)
        new = await tokens.create("CMS", "viewer")
        url = f"{room.editor.base}{PATH.replace('{id}', one.id)}/stream"
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {new.text}"}) as http,
            http.get(url) as stream,
        ):
            assert await stream.content.readline()
            await tokens.revoke(new.token.id)
            async with asyncio.timeout(60):
                await stream.content.read()
        await until(lambda: room.live.watchers == 0)


async def test_the_audience_is_as_described(room: Room) -> None:
    answer = await get(room, f"{AUDIENCE_PATH}?site=demo&section=a&section=b&path=/x/**&visible=1")
    assert (answer.status, list(answer.json)) == (200, AUDIENCE["required"])
    assert answer.json == {
        "readers": 12, "pages": 3, "exact": True, "as_of": Found.as_of, "error": 0.0, "languages_not_known": False,
    }  # fmt: skip
    asked = Wanted(sites=("demo",), sections=("a", "b"), paths=("/x/**",), languages=(), visible=True)
    assert room.wanted == [asked]
    answer = await get(room, f"{AUDIENCE_PATH}?site=demo&language=vi")
    assert (answer.json["exact"], answer.json["languages_not_known"]) == (False, True)


async def test_an_audience_that_cannot_be_asked_for_is_refused(room: Room) -> None:
    assert (await get(room, f"{AUDIENCE_PATH}?site=demo", "loa_wrong")).status == 401
    answer = await get(room, f"{AUDIENCE_PATH}?site=huyen&path=x")
    assert (answer.status, set(answer.wrong)) == (422, {"site", "path"})
    assert room.wanted == []
    room.found = None
    assert (await get(room, f"{AUDIENCE_PATH}?site=demo")).status == 503


def test_all_paths_are_described() -> None:
    assert {PATH, STREAM_PATH, SEVERAL_PATH, AUDIENCE_PATH} == {*DESCRIBED}
