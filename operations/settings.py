"""The sections ``[server]`` and ``[operations]``: where it listens, how many workers it has, and how it is watched."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]


class ServerSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where browsers and editors reach the service.

    Attributes:
        host: Address to listen on; empty: every address of this machine, IPv4 and IPv6.
        port: TCP port for browsers, the API and the widget; 0: any free one.
        workers: Processes that share the port; 0: one for each core.
        data_dir: Where the embedded store and the run file live; relative to the file this stands in.
        certificate: PEM file with the certificate and its chain; with it TLS is spoken on the port, and nothing else.
        private_key: PEM file with the key of that certificate.
        public_url: How browsers reach the service where a proxy stands before it, https://loa.example.vn.
    """

    host: str = ""
    port: Port = 8080
    workers: Annotated[int, Meta(ge=0, le=256)] = 0
    data_dir: str = "data"
    certificate: str = ""
    private_key: str = ""
    public_url: str = ""

    def __post_init__(self) -> None:
        """Refuses half a certificate and an address no browser could use."""
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError("certificate and private_key go together: give both or neither")
        if self.public_url:
            parts = urlsplit(self.public_url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
                raise ValueError(f"public_url {self.public_url!r} is not of the form https://loa.example.vn")

    def local_url(self, port: int) -> str:
        """How this machine reaches the service on `port`, without a slash at the end."""
        return url("https" if self.certificate else "http", self.host, port)


class OperationsSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How the service is watched and how it leaves.

    Attributes:
        host: Address of the listener for health and metrics. It asks nobody who they are: keep it private.
        port: Its TCP port; 0: any free one.
        log_format: How log lines on stderr look: ``console`` for people, ``json`` for machines.
        log_level: The least that is logged.
        demo: Whether /demo/ shows a portal page that embeds the widget.
        drain_seconds: How long readers are given to leave at a stop; the whole service is gone within 5 s more.
    """

    LIVE: ClassVar = frozenset({"log_level"})

    host: str = "127.0.0.1"
    port: Port = 8081
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    demo: bool = True
    drain_seconds: Annotated[float, Meta(ge=0, le=10)] = 10.0


def url(scheme: str, host: str, port: int) -> str:
    """How this machine reaches what listens on `host`."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104  compared with, not bound to
        host = "127.0.0.1"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
