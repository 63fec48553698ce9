"""Compiles the C programs where there is a compiler; else their equals in Python are used, and the result says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.errors import MachineUnfit

_HERE = Path(__file__).parent
_FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra")


def compiler() -> str | None:
    """The C compiler on the PATH, or None."""
    return next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)


def program(name: str, into: Path, cc: str | None) -> list[str]:
    """What starts the program `name`, ``bare`` or ``crowd``.

    Args:
        name: There is a ``<name>.c`` and a ``<name>.py``.
        into: A directory for what is compiled.
        cc: The compiler; None for the Python program.

    Raises:
        MachineUnfit: It does not compile.
    """
    if cc is None:
        return [sys.executable, "-m", f"benchmarks.{name}"]
    target = into / name
    done = subprocess.run(
        [cc, *_FLAGS, "-o", str(target), str(_HERE / f"{name}.c")], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MachineUnfit(f"{cc} does not compile benchmarks/{name}.c: {done.stderr.strip().splitlines()[0]}")
    return [str(target)]
