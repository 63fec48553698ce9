"""Editors who do not give up: each act is asked for until it is answered for good, always with the same key.

Each third is asked for more often than that: by two requests at the same time, or after one whose answer nobody waited
for. What an answer says of itself is checked here: "not sent" must never have been sent.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.torture.judge import Answer

# As long as a store may be away that comes back by itself.
PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.05
_PATH = "/api/v1/announcements"
_EXPIRES_SECONDS = 7200


class Editors:
    """All of them.

    Args:
        url: Where the service is.
        authorization: The header that lets them in.
        site: What they write for.
        seed: Decides who does what.

    Attributes:
        wishes: The titles that were to be published.
        answers: All that was acknowledged.
        refused: How often which answer was not for good.
        wrong: Answers that were not true.
    """

    def __init__(self, url: str, authorization: dict[str, str], site: str, seed: int) -> None:
        self._url = url
        self._authorization = authorization
        self._site = site
        self._random = random.Random(seed)
        self.wishes: list[str] = []
        self.answers: list[Answer] = []
        self.refused: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def publish(self, count: int, clients: int) -> None:
        """Publishes so many announcements by so many clients at once; each fifth is updated, each seventh recalled."""
        self.wishes = [f"Tin số {number}" for number in range(count)]
        async with (
            aiohttp.ClientSession(
                headers=self._authorization, connector=aiohttp.TCPConnector(limit=2 * clients)
            ) as http,
            asyncio.TaskGroup() as tasks,
        ):
            for client in range(clients):
                tasks.create_task(self._client(http, range(client, count, clients)))

    async def _client(self, http: aiohttp.ClientSession, numbers: range) -> None:
        for number in numbers:
            title = self.wishes[number]
            document = {"sites": [self._site], "severity": "info", "title": title, "expires_in": _EXPIRES_SECONDS}
            answer = await self._act(http, number, "POST", "", document)
            if number % 5 == 0:
                await self._act(http, number, "PATCH", f"/{answer.id}", {"title": f"{title}, sửa"})
            if number % 7 == 0:
                await self._act(http, number, "POST", f"/{answer.id}/recall", {"reason": "nhầm"})

    async def _act(
        self, http: aiohttp.ClientSession, number: int, method: str, path: str, document: dict[str, object]
    ) -> Answer:
        key = f"{self._random.getrandbits(64):016x}-{number}"
        again = number % 3 == 0
        if not again:
            return await self._insist(http, method, path, document, key, alone=True)
        if self._random.random() < 0.5:
            await self._hang_up(method, path, document, key)
            return await self._insist(http, method, path, document, key, alone=False)
        first, second = await asyncio.gather(
            self._insist(http, method, path, document, key, alone=False),
            self._insist(http, method, path, document, key, alone=False),
        )
        if (first.id, first.version) != (second.id, second.version):
            self.wrong.append(f"one key, two answers: {first} and {second}")
        return first

    async def _insist(
        self,
        http: aiohttp.ClientSession,
        method: str,
        path: str,
        document: dict[str, object],
        key: str,
        *,
        alone: bool,
    ) -> Answer:
        """Asks until it is answered for good; `alone`: no other request carries this key."""
        might_be_done = not alone
        headers = {"Idempotency-Key": key}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    async with http.request(method, self._url + _PATH + path, json=document, headers=headers) as answer:
                        said = await answer.json(content_type=None)
                        if answer.status < 300:
                            return self._acknowledged(said, might_be_done)
                        might_be_done |= self._not_now(answer.status, said)
                except (aiohttp.ClientError, ConnectionError):
                    self.refused["connection lost"] += 1
                    might_be_done = True
                await asyncio.sleep(_PAUSE_SECONDS)

    def _acknowledged(self, said: dict[str, Any], might_be_done: bool) -> Answer:
        answer = Answer(said["id"], said["revision"], said["version"], said["status"], said["title"], said["replayed"])
        if answer.replayed and not might_be_done:
            self.wrong.append(f"said to be not sent, and had been: {answer}")
        self.answers.append(answer)
        return answer

    def _not_now(self, status: int, said: dict[str, Any]) -> bool:
        """Whether the act may have been carried out all the same."""
        outcome = str(said.get("outcome", status))
        self.refused[outcome] += 1
        if status not in {429, 503}:
            raise AssertionError(f"{status}: {said}")
        return outcome == "unknown"

    async def _hang_up(self, method: str, path: str, document: dict[str, object], key: str) -> None:
        """Sends the request and is gone before the answer."""
        place = urlsplit(self._url)
        body = json.dumps(document).encode()
        lines = [f"{method} {_PATH}{path} HTTP/1.1", f"Host: {place.netloc}", "Content-Type: application/json"]
        lines += [f"Content-Length: {len(body)}", f"Idempotency-Key: {key}"]
        lines += [f"{name}: {value}" for name, value in self._authorization.items()]
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()
