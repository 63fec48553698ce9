"""The bare loop of ``bare.c`` in Python, for machines without a compiler: a lower limit than the machine's own.

Speaks the same commands: see there.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import resource
import select
import socket
import sys
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BACKLOG = 4096
_KEY = b"Sec-WebSocket-Key: "
_ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)


def main() -> None:
    """Serves until standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setblocking(False)
    _say({"port": listener.getsockname()[1]})
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    epoll.register(sys.stdin, select.EPOLLIN)
    waiting: dict[int, socket.socket] = {}
    readers: dict[int, socket.socket] = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        connection, _ = listener.accept()
                        connection.setblocking(False)
                        waiting[connection.fileno()] = connection
                        epoll.register(connection, select.EPOLLIN)
            elif fd == sys.stdin.fileno():
                line = os.read(fd, 1 << 17)
                if not line:
                    return
                frame = bytes.fromhex(line.decode().removeprefix("send "))
                began = time.monotonic()
                sent = sum(connection.send(frame) == len(frame) for connection in readers.values())
                _say({"sent": sent, "seconds": time.monotonic() - began})
            else:
                _answer(fd, waiting, readers)


def _answer(fd: int, waiting: dict[int, socket.socket], readers: dict[int, socket.socket]) -> None:
    connection = waiting.pop(fd, None) or readers[fd]
    try:
        request = connection.recv(8192)
    except ConnectionError:
        request = b""
    if not request:
        readers.pop(fd, None)
        connection.close()
    elif fd not in readers:
        key = request.partition(_KEY)[2].partition(b"\r\n")[0]
        connection.send(_ANSWER % base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()))
        readers[fd] = connection


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
