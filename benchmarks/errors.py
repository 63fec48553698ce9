"""What can keep a measurement from being made.

::

    BenchmarkError
    ├── MachineUnfit     too few descriptors, or no cores to share out
    ├── PeerFailed       the crowd or the bare loop ended, or did not answer in time
    └── ProductFailed    the service did not start, or did not do what was asked of it

The text of each is one line.
"""

from __future__ import annotations


class BenchmarkError(Exception):
    """Root of the errors of the benchmark."""


class MachineUnfit(BenchmarkError):
    """This machine, as it is set up, cannot hold the measurement."""


class PeerFailed(BenchmarkError):
    """A process of the benchmark's own failed; `peer` is its name."""

    def __init__(self, peer: str, why: str) -> None:
        self.peer = peer
        self.why = why
        super().__init__(peer, why)

    def __str__(self) -> str:
        return f"{self.peer}: {self.why}"


class ProductFailed(BenchmarkError):
    """The service that was to be measured failed."""
