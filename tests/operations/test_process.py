from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Any, NoReturn

import msgspec
import pytest

from operations.errors import WorkerFailed
from operations.intercom import Channel, Start
from operations.process import WorkerProcess

START = Start(
    index=3,
    workers=4,
    node="test",
    host="127.0.0.1",
    port=1,
    store_url="",
    public_url="",
    data_dir="",
    base_dir="",
    settings=msgspec.Raw(b"{}"),
)


def too_many(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.fixture
async def pairs(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """Both ends of every socket pair that is made."""
    made: list[socket.socket] = []
    socketpair = socket.socketpair

    def remembered() -> tuple[socket.socket, socket.socket]:
        made.extend(socketpair())
        return made[-2], made[-1]

    monkeypatch.setattr(socket, "socketpair", remembered)
    return made


async def test_a_command_that_is_not_there_is_told(pairs: list[socket.socket]) -> None:
    with pytest.raises(WorkerFailed, match="worker 3 did not start: /none: No such file or directory"):
        await WorkerProcess.spawn(["/none"], START)
    _, theirs = pairs
    assert theirs.fileno() == -1


async def test_no_sockets_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socketpair", too_many)
    with pytest.raises(WorkerFailed, match=r"did not start: .*: Too many open files"):
        await WorkerProcess.spawn([sys.executable], START)


async def test_a_channel_that_cannot_be_opened_is_told_and_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, pairs: list[socket.socket]
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr("asyncio.open_connection", too_many)
    monkeypatch.setattr("asyncio.create_subprocess_exec", lambda *words, **_: begun.append(words))
    with pytest.raises(WorkerFailed, match=r"did not start: .*: Too many open files"):
        await WorkerProcess.spawn([sys.executable], START)
    assert [end.fileno() for end in pairs] == [-1, -1]
    assert begun == []


async def test_an_end_that_cannot_be_taken_over_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setattr("asyncio.open_connection", too_many)
    with theirs, pytest.raises(OSError, match="Too many"):
        await Channel.over(ours)
    assert ours.fileno() == -1
