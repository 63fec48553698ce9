"""Loa behind nginx, HAProxy and Caddy, by the configurations that lie in `deploy/`."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import websockets

from tests.deploy import proxy
from tests.deploy.tools import DEPLOY
from tests.presence.portals import BROWSER
from tests.service import Service
from tests.system.follower import Follower
from tests.system.over_http import OverHttp
from tests.system.test_tls import certify

pytestmark = [
    pytest.mark.slow,
    # A client of these tests that stops in the middle of an answer says good-bye by TLS, and its loop ends before the
    # proxy has answered that: what asyncio then says of the socket is said of the test, not of Loa.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# One session for each address on each worker, and nobody exempt: an address that is not told apart is soon refused.
CROWDED = """
[gateway]
trusted_proxies = ["127.0.0.1/32"]
sessions_per_address = {sessions}
exempt_networks = ["::1/128"]
"""


class Front:
    """A service, and a proxy before it."""

    def __init__(self, service: Service, url: str, directory: Path) -> None:
        self.service = service
        self.url = url
        self.tls = ssl.create_default_context(cafile=directory / "certificate.pem")

    def client(self, address: str = "127.0.0.1") -> aiohttp.ClientSession:
        """One who comes from `address`, always on a connection of its own."""
        connector = aiohttp.TCPConnector(ssl=self.tls, local_addr=(address, 0), force_close=True)
        return aiohttp.ClientSession(self.url, connector=connector, headers=BROWSER)

    def reader(self, address: str, headers: Mapping[str, str] | None = None) -> websockets.connect:
        """A reader who comes from `address`."""
        url = self.url.replace("https", "wss", 1) + "/ws?site=demo&path=/"
        return websockets.connect(
            url, ssl=self.tls, local_addr=(address, 0), additional_headers=headers, open_timeout=60
        )


async def status(client: aiohttp.ClientSession, path: str) -> int:
    """What is answered, read to its end, so that nothing of it is left to be thrown away."""
    async with client.get(path, allow_redirects=False) as answer:
        await answer.read()
        return answer.status


@pytest.fixture(params=proxy.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sessions() -> int:
    """How many from one address."""
    return 300


@pytest.fixture
def front(kind: str, sessions: int, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Front]:
    certify(tmp_path)
    with Service(tmp_path, 0, CROWDED.format(sessions=sessions)) as service:
        inner, ops = urlsplit(service.url).netloc, urlsplit(service.ops_url).netloc
        with proxy.running(kind, tmp_path, free_port(), inner, ops) as url:
            yield Front(service, url, tmp_path)


@pytest.fixture
async def taken_in(front: Front) -> AsyncIterator[None]:
    """When the proxy has found the service healthy."""
    async with front.client() as client, asyncio.timeout(60):
        while await status(client, "/widget.js") != 200:
            await asyncio.sleep(0.1)
    yield


@pytest.mark.usefixtures("taken_in")
async def test_readers_and_a_restart(front: Front) -> None:
    async with Follower(front.url, "demo", tls=front.tls) as reader:
        await reader.until(lambda: reader.online == 1)
        id = await front.service.publish("demo")
        await reader.until(lambda: id in reader.view)
        # Sent away with a reason, let in again when it is back, and nothing shown twice.
        assert await asyncio.to_thread(front.service.interrupt) == 0
        await asyncio.to_thread(front.service.start)
        other = await front.service.publish("demo", title="Sau")
        await reader.until(lambda: other in reader.view)
        assert reader.closes[0][0] == 1012
        assert reader.shown == [(id, 1), (other, 1)]


@pytest.mark.usefixtures("taken_in")
@pytest.mark.parametrize("way", ["events", "poll"])
async def test_events_are_handed_on_one_by_one(front: Front, way: str) -> None:
    async with OverHttp(front.url, way, "demo", tls=front.tls) as reader:
        await reader.until(lambda: bool(reader.frames))
        first = await front.service.publish("demo", title="Một")
        await reader.until(lambda: first in reader.merged.view)
        second = await front.service.publish("demo", title="Hai")
        await reader.until(lambda: second in reader.merged.view)


@pytest.mark.usefixtures("taken_in")
@pytest.mark.parametrize("sessions", [1])
async def test_limits_count_readers_and_not_the_proxy(front: Front) -> None:
    async with AsyncExitStack() as stack:
        refused = 0
        for number in range(16):
            # What it says of itself is not believed.
            lie = {"X-Forwarded-For": f"198.51.100.{number}"}
            try:
                await stack.enter_async_context(front.reader("127.0.0.5", lie))
            except websockets.InvalidStatus as error:
                assert error.response.status_code == 429
                refused += 1
        # Two workers, a session each.
        assert refused >= 14
        await stack.enter_async_context(front.reader("127.0.0.6"))


@pytest.mark.usefixtures("taken_in")
async def test_connections_to_loa_are_used_again(front: Front) -> None:
    port = urlsplit(front.service.url).port
    assert port is not None
    async with front.client() as client:
        for _ in range(10):
            assert await status(client, "/widget.js") == 200
        before = connections(port)
        for _ in range(30):
            assert await status(client, "/widget.js") == 200
    assert len(connections(port) - before) <= 3


@pytest.mark.usefixtures("taken_in")
async def test_the_console_is_for_some_and_metrics_are_for_nobody(front: Front) -> None:
    async with front.client("127.0.0.1") as inside, front.client("127.0.0.9") as outside:
        assert await status(inside, "/console/sign-in") == 200
        for path in ("/console", "/console/", "/console/people"):
            assert await status(outside, path) == 403
        assert await status(outside, "/api/v1/sites/demo/presence") == 200
        for path in ("/metrics", "/readyz", "/healthz"):
            assert await status(inside, path) == 404


@pytest.mark.usefixtures("taken_in")
async def test_a_request_is_named_by_the_proxy(front: Front) -> None:
    async with front.client() as client:
        async with client.get("/api/v1/sites/demo/presence", headers={"X-Request-ID": "of-a-stranger"}) as answer:
            id = answer.headers["X-Request-ID"]
        # A UUID, with or without its dashes; one of Loa's own has sixteen digits.
        assert re.fullmatch("[0-9a-f-]{32,36}", id)


def connections(port: int) -> set[str]:
    """Ports of the other ends of connections to `port`, of those that ended a minute ago too."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ends = [(line.split()[1].rpartition(":")[2], line.split()[2].rpartition(":")[2]) for line in lines]
    ours = f"{port:04X}"
    return {b if a == ours else a for a, b in ends if ours in {a, b}} - {"0000"}


def test_a_line_may_be_quiet_for_an_hour() -> None:
    """By what the files say; who waits longer than Loa is silent cuts nobody off."""
    nginx = (DEPLOY / "nginx" / "loa.conf").read_text()
    lines = nginx[nginx.index("location ~ ^/(ws|events|poll)$") :]
    lines = lines[: lines.index("}")]
    assert re.findall(r"proxy_(read|send)_timeout 1h;", lines) == ["read", "send"]
    haproxy = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    assert re.search(r"^ +timeout tunnel +1h$", haproxy, re.MULTILINE)
    # Until it is a tunnel, and for /events: longer than gateway.ping_seconds and gateway.poll_seconds.
    assert re.findall(r"^ +timeout (?:client|server) +(\d+)s$", haproxy, re.MULTILINE) == ["75", "75"]
