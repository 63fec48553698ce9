"""What can keep the service from starting.

::

    OperationsError
    ├── AddressUnusable      a port is taken, or an address is not ours to listen on
    ├── CertificateUnusable  the certificate or its key cannot be read, or they do not belong together
    ├── TooFewDescriptors    the system allows fewer open files than the connections that are configured
    └── WorkerFailed         a worker could not start; it said why

The text of each is one line: what is wrong and what to do.
"""

from __future__ import annotations

from pathlib import Path


class OperationsError(Exception):
    """Root of this room's errors."""


class AddressUnusable(OperationsError):
    """Nothing can listen on `host`:`port`; `remedy` says what to do."""

    def __init__(self, host: str, port: int, why: str, remedy: str) -> None:
        self.host = host
        self.port = port
        self.why = why
        self.remedy = remedy
        super().__init__(host, port, why, remedy)

    def __str__(self) -> str:
        return f"port {self.port}{f' of {self.host}' if self.host else ''} {self.why}; {self.remedy}"


class CertificateUnusable(OperationsError):
    """TLS cannot be spoken with the file at `path`."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(path, why)

    def __str__(self) -> str:
        return f"certificate {self.path}: {self.why}; see server.certificate and server.private_key"


class TooFewDescriptors(OperationsError):
    """`allowed` files may be open in a process, `needed` have to be."""

    def __init__(self, allowed: int, needed: int) -> None:
        self.allowed = allowed
        self.needed = needed
        super().__init__(allowed, needed)

    def __str__(self) -> str:
        return (
            f"only {self.allowed} files may be open in a process, gateway.sessions_per_worker and "
            f"gateway.other_connections need {self.needed}; "
            f"raise the limit (ulimit -Hn, LimitNOFILE=) or lower the settings"
        )


class WorkerFailed(OperationsError):
    """Worker `index` could not start."""

    def __init__(self, index: int, why: str) -> None:
        self.index = index
        self.why = why
        super().__init__(index, why)

    def __str__(self) -> str:
        return f"worker {self.index} did not start: {self.why}"
