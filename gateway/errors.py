"""What can go wrong at the gate.

::

    GatewayError
    ├── Refusal            an upgrade is turned away, with an HTTP status
    └── FrameError         what a browser sent breaks the protocol, with a close code
"""

from __future__ import annotations

from gateway.closing import CloseCode


class GatewayError(Exception):
    """Root of this room's errors."""


class Refusal(GatewayError):
    """An upgrade request is turned away before it becomes a session.

    Args:
        status: HTTP status.
        reason: One word for the figures, ``origin`` or ``version``.
        detail: What is wrong and what would be accepted, for the person who reads the answer.
        headers: Further response headers, such as ``Retry-After``.
    """

    def __init__(self, status: int, reason: str, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = headers
        super().__init__(status, reason, detail)

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.detail}"


class FrameError(GatewayError):
    """Input that ends a session with `code`."""

    def __init__(self, code: CloseCode, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(code, detail)

    def __str__(self) -> str:
        return f"{self.code.name}: {self.detail}"
