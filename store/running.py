"""The service that runs on a data directory, for commands that work beside it."""

from __future__ import annotations

from settings.commandline import Deployment, Failure
from store import runfile


def running(deployment: Deployment) -> runfile.RunFile:
    """What the service of this data directory has left for others to find it.

    Raises:
        Failure: There is none, or it is not ours to read.
    """
    directory = deployment.data_dir
    try:
        found = runfile.read(directory)
    except OSError as error:
        raise Failure(f"{directory}: {error.strerror}; run this as the user that runs the service") from None
    if found is None:
        raise Failure(f"no service runs on {directory}; start it with 'loa serve', or name another with --data-dir")
    return found
