"""What can keep a measurement from being made.

::

    BenchmarkError
    ├── BrowserMissing   no Chromium to look at a page with
    ├── MachineUnfit     too few descriptors, or no cores to share out
    ├── PeerFailed       the crowd or the bare loop ended, or did not answer in time
    ├── ProductFailed    the service did not start, or did not do what was asked of it
    └── StoreUnreadable  the store does not say what it has used

The text of each is one line.
"""

from __future__ import annotations


class BenchmarkError(Exception):
    """Root of the errors of the benchmark."""


class BrowserMissing(BenchmarkError):
    """What is to be seen in a browser cannot be, there being none."""


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


class StoreUnreadable(BenchmarkError):
    """The store does not keep the figures that are read from it."""
