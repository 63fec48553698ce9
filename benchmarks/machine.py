"""The machine: which core is whose, how many files may be open, what a process has used. Linux only, by /proc."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from benchmarks.errors import MachineUnfit

# Beside its readers a process opens a listener, pipes, the store, HTTP.
_SPARE_DESCRIPTORS = 300
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cores(NamedTuple):
    """The core of the server that is measured, and the one of everything else. The same one if there is only one."""

    server: int
    others: int


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a result was measured on."""

    processor: str
    cores: int
    kernel: str
    python: str
    load_average: float


def cores() -> Cores:
    """The first two cores this process may use."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores(first, others[0] if others else first)


def pin(pid: int, core: int) -> None:
    """Keeps a process (0: this one), and what it will start, on one core."""
    os.sched_setaffinity(pid, {core})


def allow_descriptors(readers: int) -> None:
    """Raises the limit of open files for this process and those it starts.

    Raises:
        MachineUnfit: It cannot be raised so far.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = readers + _SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise MachineUnfit(f"{readers} readers need {needed} open files, {hard} are allowed; raise `ulimit -Hn`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def describe() -> Machine:
    """This machine, now."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return Machine(
        processor=names[0].partition(":")[2].strip() if names else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release(),
        python=platform.python_version(),
        load_average=os.getloadavg()[0],
    )


def busy_share(seconds: float) -> float:
    """How busy all cores together are for the next `seconds`, 1.0 being one core: others' load, asked when idle."""
    before = _ticks().busy
    time.sleep(seconds)
    return (_ticks().busy - before) / _TICKS / seconds


class Stolen:
    """What the host of a virtual machine keeps from it: measured from entering the context to leaving it.

    Attributes:
        share: Of a core, over all cores.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._began = 0.0
        self._before = 0

    def __enter__(self) -> Self:
        self._began, self._before = time.monotonic(), _ticks().steal
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.share = (_ticks().steal - self._before) / _TICKS / (time.monotonic() - self._began)


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, its own and the kernel's for it, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def children(pid: int) -> list[int]:
    """Processes that `pid` has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


class _Spent(NamedTuple):
    """Ticks of all cores since the machine started: what was worked, and what the host kept."""

    busy: int
    steal: int


def _ticks() -> _Spent:
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[1:9])
    return _Spent(user + nice + system + irq + softirq, steal)
