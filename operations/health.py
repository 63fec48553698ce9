"""Whether this node should get readers, and if not, why not. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from operations.figures import WorkerReport


def reasons(workers: Sequence[WorkerReport], store_failure: str, *, draining: bool) -> list[str]:
    """Why the node is not ready, a line each; empty when it is.

    Args:
        workers: All workers as they are now.
        store_failure: What the store answered with, empty when it answers.
        draining: Whether the service is on its way out.
    """
    found = ["draining"] if draining else []
    if store_failure:
        found.append(f"store: {store_failure}")
    for worker in workers:
        if worker.pid is None:
            found.append(f"worker {worker.index}: is being replaced")
        elif not worker.ready:
            found.append(f"worker {worker.index}: is not ready")
        else:
            found.extend(f"worker {worker.index}: {reason}" for reason in worker.figures.unready)
    return found
