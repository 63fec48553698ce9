"""What is looked at before anything starts, so that what is wrong is one line at the terminal."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
import time
from pathlib import Path

from gateway.listening import tls_context
from operations.errors import AddressUnusable, CertificateUnusable, TooFewDescriptors

# What a worker opens beside its connections: store, supervisor, log and listening sockets.
SPARE_DESCRIPTORS = 200

# The workers of a supervisor that was killed a moment ago are still letting go of the port.
_PATIENCE_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.05
_NAME_ONE = "name an address of this machine"


def allow_descriptors(sessions_per_worker: int, other_connections: int) -> int:
    """Raises this process's limit of open files as far as it may go; children inherit it. Returns the limit.

    Args:
        sessions_per_worker, other_connections: So many of each may be open in one worker.

    Raises:
        TooFewDescriptors: That is not far enough.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = sessions_per_worker + other_connections + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise TooFewDescriptors(hard, needed)
    return hard


def check_certificate(certificate: Path, private_key: Path) -> None:
    """Makes sure that TLS can be spoken with these files.

    Raises:
        CertificateUnusable: It cannot.
    """
    for path in (certificate, private_key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise CertificateUnusable(path, error.strerror or "cannot be read") from None
    try:
        tls_context(certificate, private_key)
    except (ssl.SSLError, OSError):
        why = f"is no PEM certificate, or {private_key} is not its key"
        raise CertificateUnusable(certificate, why) from None


class Reservation:
    """A port that is ours to share: bound, never listening, so that workers can join it by ``SO_REUSEPORT``.

    Attributes:
        port: The port's number, also where any free one was asked for.
    """

    def __init__(self, sockets: list[socket.socket], port: int) -> None:
        self._sockets = sockets
        self.port = port

    def release(self) -> None:
        """Lets go of the port."""
        for held in self._sockets:
            held.close()


async def reserve(host: str, port: int, option: str) -> Reservation:
    """Makes sure nobody else listens on the port, and keeps it so.

    Args:
        host: Address or name; empty for every address of the machine.
        port: Its number, 0 for any free one.
        option: What to change at the command line if it is taken, ``--port``.

    Raises:
        AddressUnusable: It is taken, forbidden, or no address of this machine.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return _reserve(host, port)
        except (OSError, ValueError) as error:
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            if in_use and time.monotonic() < deadline:
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                continue
            raise unusable(host, port, option, error) from None


def unusable(host: str, port: int, option: str, error: OSError | ValueError) -> AddressUnusable:
    """The one line for an `error` that came of listening; a name that cannot be one is a ValueError."""
    if isinstance(error, ValueError):
        return AddressUnusable(host, port, "cannot be listened on (it is no name)", _NAME_ONE)
    if error.errno == errno.EADDRINUSE:
        return AddressUnusable(host, port, "is taken", f"stop the program that has it, or choose another with {option}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return AddressUnusable(host, port, "is not allowed to this user", f"choose one above 1023 with {option}")
    return AddressUnusable(host, port, f"cannot be listened on ({error.strerror or error})", _NAME_ONE)


def _reserve(host: str, port: int) -> Reservation:
    addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    held: list[socket.socket] = []
    try:
        # In a fixed order, IPv4 first: it is the one that a kernel without IPv6 has.
        for family, kind, protocol, _, address in sorted(addresses, key=lambda found: found[0] != socket.AF_INET):
            chosen = (address[0], port, *address[2:])
            try:
                # Without SO_REUSEPORT it fails when anyone listens there, also one of our own kind.
                with _bound(family, kind, protocol, chosen, shared=False) as probe:
                    port = port or probe.getsockname()[1]
                held.append(_bound(family, kind, protocol, (address[0], port, *address[2:]), shared=True))
            except OSError as error:
                if error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL} and not host and held:
                    continue
                raise
    except BaseException:
        for one in held:
            one.close()
        raise
    return Reservation(held, port)


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(address)
    except BaseException:
        opened.close()
        raise
    return opened
