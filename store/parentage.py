"""Ends a child with its parent, whatever ended the parent, where the kernel can do that (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def end_with_parent(by: signal.Signals) -> Callable[[], None] | None:
    """What to pass as ``preexec_fn`` so that the kernel sends `by` to the child when this process dies.

    Call it, and start the child, from the main thread: the kernel means the thread that started the child. None
    where there is no such thing; the child then has to notice for itself.
    """
    if sys.platform != "linux":
        return None
    # Everything is looked up before the fork: after it, only the calls themselves are safe.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent, number = os.getpid(), int(by)
    getppid, leave = os.getppid, os._exit

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if getppid() != parent:
            leave(1)

    return arrange
