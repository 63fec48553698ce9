"""A Redis Cluster of real servers on free ports of 127.0.0.1: three that lead, each with a replica if asked for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from redis import Redis

from tests.store.replicated import START_SECONDS, Server

SLOTS = 16_384
LEADING = 3
_OPTIONS = (
    # One that only stands still for a moment, as on a busy machine, is not given up.
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--cluster-require-full-coverage", "no"),
    *("--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"),
)


class Cluster:
    """The servers; the first three lead.

    Attributes:
        servers: In the order in which they were started.
        url: As it is named in the settings.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.url = f"redis+cluster://127.0.0.1:{servers[0].port}"

    def leader_of(self, key: str) -> Server:
        """Which of the first three has a key."""
        with Redis(port=self.servers[0].port) as client:
            slot: Any = client.execute_command("CLUSTER KEYSLOT", key)
        return self.servers[_share_of(slot)]

    def held(self) -> list[list[str]]:
        """The keys of each of the first three."""
        found = []
        for server in self.servers[:LEADING]:
            with Redis(port=server.port, decode_responses=True) as client:
                found.append(sorted(client.keys("*")))
        return found


def _share_of(slot: int) -> int:
    return next(index for index in range(LEADING) if slot <= _last(index))


def _last(index: int) -> int:
    return SLOTS * (index + 1) // LEADING - 1


@contextlib.contextmanager
def cluster(directory: Path, free_port: Callable[[], int], *, replicas: bool = False) -> Iterator[Cluster]:
    """A cluster that stands, without a file on disk but the one that says who is who."""
    count = LEADING * (2 if replicas else 1)
    servers = []
    buses = []
    for index in range(count):
        port, bus = free_port(), free_port()
        options = ("--port", str(port), "--cluster-port", str(bus), *_OPTIONS)
        servers.append(Server(directory / f"node-{index}", port, options))
        buses.append(bus)
    try:
        for server in servers:
            server.start()
        _join(servers, buses)
        yield Cluster(servers)
    finally:
        for server in servers:
            server.kill()


def _join(servers: Sequence[Server], buses: Sequence[int]) -> None:
    clients = [Redis(port=server.port, decode_responses=True) for server in servers]
    try:
        for index, client in enumerate(clients[:LEADING]):
            client.execute_command("CLUSTER ADDSLOTSRANGE", _last(index - 1) + 1 if index else 0, _last(index))
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
        for server, bus in zip(servers[1:], buses[1:], strict=True):
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
        _await(lambda: all(len(_nodes(client)) == len(servers) for client in clients), "its servers do not meet")
        names: list[Any] = [client.execute_command("CLUSTER MYID") for client in clients[:LEADING]]
        for name, client in zip(names, clients[LEADING:], strict=False):
            client.execute_command("CLUSTER REPLICATE", name)
        _await(lambda: all(_stands(client) for client in clients), "it does not stand")
        if len(servers) > LEADING:
            _await(lambda: all(_copied(client) for client in clients[LEADING:]), "its replicas are not in step")
    finally:
        for client in clients:
            client.close()


def _nodes(client: Redis) -> Any:
    return client.cluster("nodes")


def _stands(client: Redis) -> bool:
    info: Any = client.cluster("info")
    return info["cluster_state"] == "ok" and info["cluster_slots_ok"] == str(SLOTS)


def _copied(client: Redis) -> bool:
    info: Any = client.info("replication")
    return info["role"] == "slave" and info["master_link_status"] == "up"


def _await(so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not so():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(0.02)
