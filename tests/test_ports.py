from __future__ import annotations

import itertools
import socket

import pytest

from tests.ports import FIRST, HOST, LAST, SHARE, dead_port, free_ports


def test_each_worker_has_ports_of_its_own_below_those_of_outgoing_connections() -> None:
    shares = [{*itertools.islice(free_ports(worker), 50)} for worker in ("", "gw1", "gw2", "gw24")]
    assert sum(map(len, shares)) == len(set().union(*shares)) == 4 * 50
    assert all(FIRST <= port <= LAST for port in set().union(*shares))


def test_one_that_is_taken_is_passed_over() -> None:
    taken = next(free_ports("gw3"))
    with socket.socket() as holder:
        holder.bind((HOST, taken))
        assert taken not in itertools.islice(free_ports("gw3"), SHARE)


def test_nobody_answers_at_a_dead_port() -> None:
    with dead_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port))
