"""A service of small workers, started, stopped and killed as happens in life."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from operations.hour import Node
from store import runfile
from tests.operations.conftest import PATIENCE_SECONDS, Connection, SmallService, alive, gone

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.fixture
def begin(tmp_path: Path, services: list[SmallService]) -> Any:
    async def begin(data_dir: Path = tmp_path / "data", **settings: Any) -> SmallService:
        service = await SmallService.begin(data_dir, **settings)
        services.append(service)
        return service

    return begin


def children(pid: int) -> list[int]:
    """Process ids below `pid`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


async def test_it_stands_completely_and_leaves_nothing(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    assert re.fullmatch(rf"Valkey [\d.]+ in {service.data_dir}", service.running["store"])
    assert len(await service.pids()) == 2
    found = runfile.read(service.data_dir)
    assert found is not None
    assert (found.pid, found.public_url) == (service.process.pid, service.running["local_url"])
    family = children(service.process.pid)
    assert len(family) == 3
    service.stop()
    assert await service.end() == (0, "")
    assert not any(map(alive, family))
    assert runfile.read(service.data_dir) is None
    assert not (service.data_dir / runfile.NAME).exists()


async def test_the_first_token_is_shown_once(begin: Any) -> None:
    service = await (await begin()).stands()
    assert service.running["token"] == "loa_first"
    service.stop(signal.SIGINT)
    await service.end()
    service = await (await begin()).stands()
    assert service.running["token"] is None


async def test_a_start_that_fails_does_not_use_up_the_first_token(begin: Any, tmp_path: Path) -> None:
    in_the_way = tmp_path / "data" / runfile.NAME
    in_the_way.mkdir(parents=True)
    service = await begin()
    status, said = await service.end()
    assert status == 1
    assert said.startswith(f"loa: data directory {tmp_path}/data: Is a directory; ")
    in_the_way.rmdir()
    service = await (await begin()).stands()
    assert service.running["token"] == "loa_first"


async def test_readers_are_seen_off_at_a_stop(begin: Any) -> None:
    service = await (await begin()).stands()
    async with Connection.to(service) as connection:
        service.stop()
        assert await connection.reader.readline() == b"bye\n"
    assert await service.end() == (0, "")


async def test_readers_who_cling_are_left_behind_in_time(begin: Any) -> None:
    service = await (await begin(conduct="clings", operations={"drain_seconds": 0.5})).stands()
    service.stop()
    assert await service.end() == (0, "")


async def test_a_second_signal_hurries(begin: Any) -> None:
    service = await (await begin(conduct="clings", operations={"drain_seconds": 10})).stands()
    service.stop()
    await service.says("stopping")
    reasons = await service.until_ready(ready=False)
    assert reasons[0] == "draining"
    service.stop()
    assert await service.end() == (0, "")


async def test_stopped_while_it_starts_it_leaves_nothing(begin: Any) -> None:
    service = await begin()
    await service.says("embedded store")
    family = children(service.process.pid)
    service.stop()
    status, said = await service.end()
    assert (status, said) == (0, "")
    await gone(*family)


async def test_killed_it_takes_everybody_along_and_the_next_one_starts(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    family = children(service.process.pid)
    assert len(family) == 3
    port = service.port
    service.process.kill()
    await service.end()
    # At once, with the port and the files of the one before it.
    service = await (await begin(server={"port": port, "workers": 2})).stands()
    await gone(*family)
    assert service.port == port
    assert len(await service.pids()) == 2


async def test_a_killed_worker_is_replaced_and_its_counts_stay(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    pids = await service.pids()
    async with Connection.to(service, index=1):
        # The supervisor has heard of this connection, so its figures cannot be lost with the worker.
        before = await counted(
            service, "loa_handshakes_total", lambda count: count >= 1, worker="1", outcome="accepted"
        )
        os.kill(pids[1], signal.SIGKILL)
    await gone(pids[1])
    line = await service.says("worker ended", worker=1)
    assert line["status"] == -9
    await service.until_ready()
    fresh = await service.pids()
    assert fresh[0] == pids[0]
    assert fresh[1] != pids[1]
    await counted(service, "loa_worker_restarts_total", lambda count: count == 1, worker="1")
    await counted(service, "loa_handshakes_total", lambda count: count >= before + 1, worker="1", outcome="accepted")


async def test_a_worker_whose_task_died_is_replaced(begin: Any) -> None:
    service = await (await begin(operations={"drain_seconds": 0.1})).stands()
    pids = await service.pids()
    async with Connection.to(service, index=0) as connection:
        connection.writer.write(b"fail\n")
        await service.says("leaving, a background task has died", worker=0)
        await gone(pids[0])
    await service.until_ready()
    assert (await service.pids())[0] != pids[0]


async def test_the_store_killed_comes_back(begin: Any) -> None:
    service = await (await begin()).stands()
    workers = await service.pids()
    (store,) = set(children(service.process.pid)) - set(workers)
    os.kill(store, signal.SIGKILL)
    await service.says("embedded store ended, starting it again")
    await service.until_ready()
    await counted(service, "loa_store_restarts_total", lambda count: count == 1)
    assert await service.pids() == workers


async def test_metrics_of_two_workers_add_up(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    opened = 12
    connections = [Connection.to(service) for _ in range(opened)]
    indexes = [(await one.__aenter__()).index for one in connections]
    try:
        for name, labels, each in [
            ("loa_sessions", {"site": "demo"}, 1),
            ("loa_handshakes_total", {"outcome": "accepted"}, 1),
            ("loa_deliveries_total", {}, 10),
        ]:
            for index in (0, 1):
                own = each * indexes.count(index)
                await counted(service, name, lambda count, own=own: count == own, worker=str(index), **labels)
            await counted(service, name, lambda count, each=each: count == each * opened, **labels)
        await counted(service, "loa_readers", lambda count: count == 7, site="demo")
        await counted(service, "loa_fanout_seconds_bucket", lambda count: count == 2, le="0.1")
        await counted(service, "loa_workers_ready", lambda count: count == 2)
        await counted(service, "loa_event_loop_lag_seconds_count", lambda count: count > 0, worker="0")
        await counted(service, "loa_worker_resident_bytes", lambda count: count > 1e6, worker="0")
    finally:
        for one in connections:
            await one.__aexit__(None, None, None)


async def test_an_announcements_sessions_are_added_up_over_the_workers(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    async with Connection.to(service, index=0) as one, Connection.to(service, index=1) as other:
        assert await one.ask("delivered a/1 100") == "told"
        # Not all have told: as many as are known of, after the time is over.
        assert await one.ask("total a/1 0.05") == "100"
        assert await other.ask("delivered a/1 23") == "told"
        # All have told: it does not wait for the time to be over.
        assert await one.ask("total a/1 3600") == "123"


async def test_reasons_of_a_worker_are_told(begin: Any) -> None:
    service = await (await begin(conduct="unready", server={"workers": 2})).stands()
    reasons: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        # One that has not told yet has no reasons.
        while len(reasons) < 2:
            reasons = await service.until_ready(ready=False)
    assert reasons == ["worker 0: feed: has not begun", "worker 1: feed: has not begun"]
    status, text = await service.get("/readyz")
    assert (status, json.loads(text)["status"]) == (503, "unready")
    assert await service.get("/healthz") == (200, '{"status": "ok"}')


async def test_workers_and_the_ops_listener_are_told_of_the_node_and_its_hour(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    async with Connection.to(service, 1) as connection:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (said := await connection.ask("node")) == "None":
                await asyncio.sleep(0.05)
        assert await connection.ask("nonsense") == "None"
    node = msgspec.json.decode(said, type=Node)
    assert [one.index for one in node.now.workers] == [0, 1]
    assert (node.now.readers, node.now.sites) == (7, {"demo": 7})
    assert node.events[-1].kind == "started"
    first = (await service.pids())[0]
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            status, text = await service.get("/figures")
            assert status == 200
            if any(event.kind == "worker_restarted" for event in msgspec.json.decode(text, type=Node).events):
                break
            await asyncio.sleep(0.2)


async def test_a_second_service_on_the_data_directory_is_refused(begin: Any) -> None:
    service = await (await begin()).stands()
    second = await begin()
    assert await second.end() == (
        1,
        f"loa: data directory {service.data_dir} is in use by process {service.process.pid}; "
        "stop it, or name another with --data-dir\n",
    )
    await service.until_ready()


@pytest.mark.parametrize(("section", "option"), [("server", "--port"), ("operations", "--ops-port")])
async def test_a_taken_port_is_refused(begin: Any, section: str, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        service = await begin(**{section: {"port": port}})
        status, said = await service.end()
    assert (status, said) == (
        1,
        f"loa: port {port} of 127.0.0.1 is taken; stop the program that has it, or choose another with {option}\n",
    )


async def test_a_port_that_another_service_shares_among_its_workers_is_taken(begin: Any, tmp_path: Path) -> None:
    service = await (await begin()).stands()
    second = await begin(tmp_path / "other", server={"port": service.port})
    status, said = await second.end()
    assert status == 1
    assert "is taken" in said


async def test_a_data_directory_that_cannot_be_written_is_refused(begin: Any) -> None:
    service = await begin(Path("/proc/loa"))
    status, said = await service.end()
    assert status == 1
    assert said.startswith("loa: data directory /proc/loa: ")
    assert said.count("\n") == 1


async def test_redis_unreachable_is_refused(begin: Any, tmp_path: Path) -> None:
    service = await begin(redis={"url": f"unix://{tmp_path}/none.sock", "ready_seconds": 0.1})
    status, said = await service.end()
    assert (status, said) == (
        1,
        f"loa: Redis at unix://{tmp_path}/none.sock cannot be reached: No such file or directory; "
        "check redis.url, or leave it empty\n",
    )


async def test_its_collector_does_not_look_at_what_stays(begin: Any) -> None:
    """A full collection held it for 50 ms now and then, and with it whoever scraped the metrics."""
    service = await (await begin()).stands()
    assert service.running["set_aside"] > 10 * service.running["looked_at"]


async def test_a_given_store_is_used(begin: Any, store_url: str, prefix: str) -> None:
    service = await (await begin(redis={"url": store_url, "prefix": prefix})).stands()
    assert service.running["store"].endswith(f" at {store_url}")
    assert len(children(service.process.pid)) == 1
    await service.until_ready()


@pytest.mark.parametrize(
    ("conduct", "why"), [("refuses", "the small worker refuses"), ("exits", "it ended with status 7")]
)
async def test_a_worker_that_cannot_start_is_one_line(begin: Any, conduct: str, why: str) -> None:
    service = await begin(conduct=conduct)
    status, said = await service.end()
    assert status == 1
    assert said == f"loa: worker 0 did not start: {why}\n"
    assert not any(map(alive, children(service.process.pid)))


async def counted(service: SmallService, name: str, holds: Callable[[float], bool], **labels: str) -> float:
    """The sum of a metric's series that carry `labels`, once it `holds`: who is busy is told of as it last was."""
    total = 0.0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds(total := _sum(await service.get("/metrics"), name, labels)):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{name} {labels} is {total:g}") from None
    return total


def _sum(page: tuple[int, str], name: str, labels: dict[str, str]) -> float:
    total = 0.0
    for line in page[1].splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(f'{key}="{wanted}"' in series for key, wanted in labels.items()):
            total += float(value)
    return total


async def test_a_stopped_worker_is_found_out_by_the_figures_it_does_not_give(begin: Any) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    pids = await service.pids()
    os.kill(pids[0], signal.SIGSTOP)
    try:
        # It answers nothing, and yet the page comes, with what was last known.
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, text = await service.get("/metrics")
        assert status == 200
        assert 'worker="0"' in text
    finally:
        os.kill(pids[0], signal.SIGCONT)


async def test_a_hangup_reads_the_settings_anew(begin: Any, tmp_path: Path) -> None:
    service = await (await begin(server={"workers": 2})).stands()
    pids = await service.pids()
    changed = {"server": {"port": 1}, "operations": {"log_level": "info"}}
    (tmp_path / "settings.json").write_text(json.dumps(changed))
    service.stop(signal.SIGHUP)
    line = await service.says("settings reloaded")
    assert line["changed"] == ["operations.log_level"]
    assert (await service.says("settings wait for a restart"))["settings"][0].startswith("server.")
    assert "after a restart: server." in (await service.get("/readyz"))[1]
    (tmp_path / "settings.json").write_text("{")
    service.stop(signal.SIGHUP)
    await service.says("settings refused, the old ones stay in force")
    assert "loa_config_reload_failures_total 1.0" in (await service.get("/metrics"))[1]
    assert await service.pids() == pids


async def test_a_new_worker_that_does_not_start_takes_nobodys_place(begin: Any, tmp_path: Path) -> None:
    in_the_way = tmp_path / "in-the-way"
    service = await (await begin(conduct=f"refuses over {in_the_way}")).stands()
    (old,) = await service.pids()
    async with Connection.to(service) as connection:
        in_the_way.touch()
        service.stop(signal.SIGUSR2)
        line = await service.says("new worker does not start, keeping the old ones")
        assert line["why"] == "the new worker refuses"
        assert await service.pids() == [old]
        in_the_way.unlink()
        service.stop(signal.SIGUSR2)
        await service.says("all workers replaced")
        assert connection.pid == old
        assert await service.pids() != [old]
    # What it had counted goes on from there, and no worker is told of as one that had to be replaced.
    counted = 0.0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while counted < 3:
            text = (await service.get("/metrics"))[1]
            counted = float(re.findall(r'loa_handshakes_total\{outcome="accepted",worker="0"\} ([\d.]+)', text)[0])
    assert 'loa_worker_restarts_total{worker="0"} 0.0' in text


async def test_a_service_that_is_replacing_workers_can_be_stopped(begin: Any) -> None:
    service = await (await begin(server={"workers": 2}, conduct="clings")).stands()
    family = children(service.process.pid)
    service.stop(signal.SIGUSR2)
    await service.says("replacing all workers")
    service.stop()
    service.stop()
    assert (await service.end())[0] == 0
    await gone(*family)
