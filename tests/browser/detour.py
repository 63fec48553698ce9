"""Stands in for a server in a network that bars some of the three ways, and speaks over those that are open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

import server
from tests.browser.wire import instant, welcome
from tests.patience import PATIENCE_SECONDS


class Talk:
    """One session: how it came, with what query, and what is yet to be said to it."""

    def __init__(self, way: str, query: dict[str, str], name: str) -> None:
        self.way = way
        self.query = query
        self.name = name
        self.unsaid: asyncio.Queue[dict[str, Any]] = asyncio.Queue()


class Detour:
    """A server at `url`.

    Attributes:
        open: The ways that are: `ws`, `events`, `poll`.
        tries: The ways that were tried, in order.
        talks: All sessions there were, the newest last.
        heard: Every message from browsers.
        poll_seconds: How long a poll waits for news.
    """

    def __init__(self, *ways: str, poll_seconds: float = 0.5) -> None:
        self.open = set(ways)
        self.tries: list[str] = []
        self.talks: list[Talk] = []
        self.heard: list[dict[str, Any]] = []
        self.poll_seconds = poll_seconds
        self.url = ""
        self._script = server.joined().script
        self._changed = asyncio.Condition()
        app = web.Application()
        app.on_response_prepare.append(self._allow)
        app.router.add_get("/widget.js", self._widget)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/events", self._events)
        app.router.add_get("/poll", self._poll)
        app.router.add_post("/say/{name}", self._inbox)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Detour:
        """Listens on a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends it."""
        for talk in self.talks:
            talk.unsaid.put_nowait({"type": "close", "code": 1001, "reason": ""})
        await self._runner.cleanup()

    def say(self, type: str, **members: object) -> None:
        """Sends a message to the newest session."""
        self.talks[-1].unsaid.put_nowait({"type": type, **members})

    async def met(self, way: str, times: int = 1) -> Talk:
        """Waits until a session has come by this way; the newest of them."""
        await self.until(lambda: sum(talk.way == way for talk in self.talks) >= times)
        return next(talk for talk in reversed(self.talks) if talk.way == way)

    async def told(self, **members: object) -> None:
        """Waits until a browser has said a message that has these members."""
        await self.until(lambda: any(members.items() <= message.items() for message in self.heard))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds of what has come and been said."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(condition)

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _admit(self, request: web.Request, way: str) -> Talk:
        self.tries.append(way)
        await self._note()
        if way not in self.open:
            raise web.HTTPBadGateway
        talk = Talk(way, {name: value for name, value in request.query.items() if value}, f"s{len(self.talks)}")
        inbox = {} if way == "ws" else {"inbox": f"/say/{talk.name}"}
        talk.unsaid.put_nowait(welcome(now=instant(), **inbox))
        self.talks.append(talk)
        await self._note()
        return talk

    async def _allow(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")

    async def _widget(self, request: web.Request) -> web.Response:
        return web.Response(body=self._script, content_type="text/javascript", charset="utf-8")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        talk = await self._admit(request, "ws")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while (message := await talk.unsaid.get())["type"] != "close":
            await socket.send_json(message)
        await socket.close(code=message["code"], message=message["reason"].encode())
        return socket

    async def _events(self, request: web.Request) -> web.StreamResponse:
        talk = await self._admit(request, "events")
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        # A browser that has gone hears nothing more.
        with contextlib.suppress(ConnectionResetError):
            while True:
                message = await talk.unsaid.get()
                await stream.write(b"data: %b\n\n" % json.dumps(message).encode())
                if message["type"] == "close":
                    break
        return stream

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        if "session" not in request.query:
            talk = await self._admit(request, "poll")
            return web.json_response({"session": talk.name, "messages": [talk.unsaid.get_nowait()]})
        talk = self._find(request.query["session"])
        messages = []
        with contextlib.suppress(TimeoutError):
            messages.append(await asyncio.wait_for(talk.unsaid.get(), self.poll_seconds))
        return web.json_response({"session": talk.name, "messages": messages})

    async def _inbox(self, request: web.Request) -> web.StreamResponse:
        self._find(request.match_info["name"])
        assert request.content_type == "text/plain"
        self.heard.append(json.loads(await request.text()))
        await self._note()
        return web.Response(status=204)

    def _find(self, name: str) -> Talk:
        for talk in self.talks:
            if talk.name == name and talk.way in self.open:
                return talk
        raise web.HTTPNotFound(text='{"title":"No such session"}', content_type="application/problem+json")
