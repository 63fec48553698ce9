"""The service that is measured: started as anybody starts it, its one worker kept on a core of its own.

It has its own data directory and settings, presence and an embedded store included; what the settings change from the
defaults is how many may come, and how often one reader may ping, so that the loop can be watched from outside.
"""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from benchmarks import machine
from benchmarks.errors import ProductFailed
from store import runfile
from store.embedded import socket_path
from store.parentage import end_with_parent

# Readers are on the one; the other is there to be busy without them.
SITE, OTHER_SITE = "demo", "other"
ORIGIN = "http://localhost"
_SPARE_SESSIONS = 200
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 15.0
_LOOK_AGAIN_SECONDS = 0.05

_SETTINGS = """\
[server]
host = "127.0.0.1"

[operations]
log_level = "warning"

[gateway]
sessions_per_worker = {sessions}
other_connections = 200
messages_per_second = 10000
handshakes_per_second = {handshakes}
message_burst = 10000

[redis]
url = "{store}"

[presence]
scopes = [{scopes}]

[sites.{site}]
origins = ["{origin}", "http://127.0.0.1:*"]

[sites.{other}]
origins = ["{origin}"]
"""


def request(site: str = SITE, show: str = "") -> bytes:
    """The head of a handshake as browsers send it. K and N are replaced for each reader, see crowd.c.

    Args:
        site: Where it reads.
        show: Which numbers its page shows besides the site's, as ``section,page``.
    """
    shown = f"&show={show}" if show else ""
    return (
        f"GET /ws?site={site}&path=/tin-tuc/bai-NNNNNN&section=thoi-su{shown} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Connection: Upgrade\r\n"
        "Pragma: no-cache\r\n"
        "Cache-Control: no-cache\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/142.0.0.0 Safari/537.36\r\n"
        "Upgrade: websocket\r\n"
        f"Origin: {ORIGIN}\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\n"
        "Accept-Language: vi-VN,vi;q=0.9,en;q=0.8\r\n"
        "Sec-WebSocket-Key: KKKKKKKKKKKKKKKKKKKKKA==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        "\r\n"
    ).encode()


REQUEST = request()


class FanoutFigures(msgspec.Struct, frozen=True):
    """What the worker itself says of its fan-outs so far: how long all took together, and its longest slice."""

    seconds: float
    longest_slice_seconds: float


class Asked(NamedTuple):
    """An announcement that was asked for: its id, and when, by the clock all processes share."""

    id: str
    at: float


class Reached(msgspec.Struct, frozen=True):
    """How many readers have seen an announcement, and of how many pages it is known when they showed it."""

    rendered: int
    measured: int


class Product:
    """A running service.

    Args:
        directory: An empty directory, for settings and data.
        readers: How many will come.
        core: The worker's.
        scopes: What is counted besides the site.
        workers: How many; only a single one has a core of its own.
        store: Where the store is that it shares with another service; empty: it has one of its own.
        pinned: Whether a single worker has a core of its own.
        handshakes: How many a second a worker lets in; 0: as many as come.
    """

    def __init__(
        self,
        directory: Path,
        readers: int,
        core: int,
        scopes: tuple[str, ...] = ("section", "page"),
        *,
        workers: int = 1,
        handshakes: int = 0,
        store: str = "",
        pinned: bool = True,
    ) -> None:
        self._directory = directory
        self._log = directory / "log"
        settings = directory / "config.toml"
        settings.write_text(
            _SETTINGS.format(
                sessions=readers + _SPARE_SESSIONS,
                scopes=", ".join(f'"{scope}"' for scope in scopes),
                site=SITE,
                other=OTHER_SITE,
                origin=ORIGIN,
                handshakes=handshakes,
                store=store,
            )
        )
        self._deployment = ("--config", str(settings), "--data-dir", str(directory / "data"))
        ports = ("--port", "0", "--ops-port", "0", "--workers", str(workers))
        with self._log.open("wb") as log:
            self._supervisor = subprocess.Popen(
                _loa("serve", *self._deployment, *ports),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us; we then end it. Should we be killed, the kernel does.
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  calls the kernel and nothing else
            )
        try:
            running = self._started()
            public, operations = urlsplit(running.public_url), urlsplit(running.ops_url)
            self.port = public.port or 80
            self.supervisor = self._supervisor.pid
            self.worker = self.workers(workers)[0]
            if workers == 1 and pinned:
                machine.pin(self.worker, core)
            self._api = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
            self._operations_port = operations.port or 80
            self._operations = http.client.HTTPConnection("127.0.0.1", operations.port, timeout=_ANSWER_SECONDS)
            self._token = self._editor()
            self.published = ""
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._api.close()
        self._operations.close()
        self.stop()

    def reconnect(self) -> None:
        """Asks over a new connection next: the worker at the other end of the old one may be about to leave."""
        self._api.close()

    def stop(self) -> None:
        """Ends it, and waits until it has gone."""
        if self._supervisor.poll() is None:
            self._supervisor.terminate()
        try:
            self._supervisor.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Workers and store notice, and go too.
            self._supervisor.kill()
            self._supervisor.wait()

    @property
    def store_url(self) -> str:
        """Where its store listens."""
        return f"unix://{socket_path(self._directory / 'data')}"

    def resident_bytes(self) -> int:
        """Memory of the worker."""
        return machine.resident_bytes(self.worker)

    def cpu_seconds(self) -> float:
        """Processor time of the worker so far."""
        return machine.cpu_seconds(self.worker)

    def online(self) -> int | None:
        """The number of readers, as anybody can ask for it."""
        online: int | None = self._ask(self._api, "GET", f"/api/v1/sites/{SITE}/presence")["online"]
        return online

    def publish(self, title: str) -> float:
        """Sends an announcement to everybody; returns when it was asked for, by the clock all processes share.

        Its id is `published` then.
        """
        return self.announce(title).at

    def announce(self, title: str) -> Asked:
        """The same; returns its id, too."""
        draft = {"sites": [SITE], "severity": "breaking", "title": title, "url": "https://portal.example.vn/khan"}
        asked_at = time.monotonic()
        answer = self._ask(self._api, "POST", "/api/v1/announcements", msgspec.json.encode(draft))
        self.published = str(answer["id"])
        return Asked(self.published, asked_at)

    def recall(self, id: str) -> float:
        """Takes an announcement back; returns when that was asked for."""
        asked_at = time.monotonic()
        self._ask(self._api, "POST", f"/api/v1/announcements/{id}/recall", b"{}")
        return asked_at

    def reach(self) -> Reached:
        """Whom the announcement reached that was sent last."""
        return msgspec.convert(self._ask(self._api, "GET", f"/api/v1/announcements/{self.published}/reach"), Reached)

    def fanout(self) -> FanoutFigures:
        """The worker's own figures of its fan-outs."""
        samples = self._samples()
        try:
            return FanoutFigures(samples["loa_fanout_seconds_sum"], samples["loa_fanout_longest_slice_seconds"])
        except KeyError as missing:
            raise ProductFailed(f"/metrics has no {missing}") from None

    def deliveries(self) -> int:
        """Frames that broadcasts have written to sessions so far."""
        try:
            return int(self._samples()["loa_deliveries_total"])
        except KeyError as missing:
            raise ProductFailed(f"/metrics has no {missing}") from None

    def ended_within(self, seconds: float) -> bool:
        """Tells it to stop, as an operator does; whether it has, by itself, in time."""
        self._supervisor.terminate()
        try:
            return self._supervisor.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return False

    def metrics(self) -> Iterator[Sample]:
        """Its figures."""
        self._operations.request("GET", "/metrics", headers={"Accept": "text/plain"})
        text = self._operations.getresponse().read().decode()
        return (one for family in text_string_to_metric_families(text) for one in family.samples)

    def scrape(self) -> float:
        """Asks for its figures as Prometheus does; the seconds that took."""
        began = time.monotonic()
        self._operations.request("GET", "/metrics")
        self._operations.getresponse().read()
        return time.monotonic() - began

    @contextlib.contextmanager
    def scraped_every(self, seconds: float) -> Iterator[None]:
        """Has somebody else ask for its figures so often."""
        over = threading.Event()

        def scrape() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self._operations_port, timeout=_ANSWER_SECONDS)
            while not over.wait(seconds):
                connection.request("GET", "/metrics")
                connection.getresponse().read()
            connection.close()

        scraping = threading.Thread(target=scrape, name="scrapes")
        scraping.start()
        try:
            yield
        finally:
            over.set()
            scraping.join()

    def _samples(self) -> dict[str, float]:
        return {sample.name: sample.value for sample in self.metrics()}

    def _started(self) -> runfile.RunFile:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._supervisor.poll() is not None:
                raise ProductFailed(f"loa serve has ended: {self._last_words()}")
            running = runfile.read(self._directory / "data")
            if running is not None:
                return running
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise ProductFailed(f"loa serve did not start within {_START_SECONDS:.0f} s: {self._last_words()}")

    def workers(self, wanted: int) -> list[int]:
        """The workers are the children that run what the supervisor runs; the other is the store."""
        own = Path(f"/proc/{self._supervisor.pid}/exe").readlink()
        found = [pid for pid in machine.children(self._supervisor.pid) if Path(f"/proc/{pid}/exe").readlink() == own]
        if len(found) != wanted:
            raise ProductFailed(f"there should be {wanted} workers, there are {len(found)}")
        return found

    def _editor(self) -> str:
        made = subprocess.run(
            _loa("token", "create", "--role", "editor", "--name", "benchmark", *self._deployment),
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
        if made.returncode:
            raise ProductFailed(f"loa token create: {made.stderr.strip()}")
        return made.stdout.strip().splitlines()[-1]

    def _ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        if body:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise ProductFailed(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return msgspec.json.decode(text)

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _loa(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "loa", *arguments]
