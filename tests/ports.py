"""Ports for servers that have to be told theirs before they start, and ports where nobody answers.

A port that the kernel names is one of those that it also gives to outgoing connections: between its being named and its
being bound, any of the thousands that other tests open may take it. These are below that range, and each pytest-xdist
worker has some of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator

HOST = "127.0.0.1"
# Outgoing connections of Linux come from 32768 and up (net.ipv4.ip_local_port_range).
FIRST, LAST = 20_000, 32_767
# For one worker; far more than the tests of a run take.
SHARE = 500


def free_ports(worker: str) -> Iterator[int]:
    """Ports that nobody listens on, without end and each as seldom as can be.

    Args:
        worker: The one of pytest-xdist, as ``gw0``; empty if there are none.
    """
    first = FIRST + int(worker.removeprefix("gw") or 0) * SHARE % (LAST + 1 - SHARE - FIRST)
    # Two runs on one machine have workers of the same names; they hardly begin at the same port.
    for number in itertools.count(os.getpid()):
        port = first + number % SHARE
        if _is_free(port):
            yield port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    """A port that refuses connections as long as the context lasts: it is taken, and nobody listens there."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield taken.getsockname()[1]
