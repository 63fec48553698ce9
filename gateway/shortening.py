"""Makes a script short: no comments, no blanks, and short names for what only the script itself names.

The library that does it brings the Go runtime, with threads and signal handlers of its own, into a process. So it
works in a child process, which is gone when it is done; a worker has none of it. The same text gives the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache

# The newest the result may be written in, whatever the text is.
ECMASCRIPT = 2019
TIMEOUT_SECONDS = 60.0


@lru_cache(4)
def shortened(script: str) -> str:
    """The same script, shorter.

    Raises:
        ValueError: It is not JavaScript; the text says where.
    """
    # -P: not what happens to be of that name where the service was started.
    command = [sys.executable, "-P", "-m", "gateway.shortening"]
    done = subprocess.run(  # noqa: S603  a command of ours
        command, input=script.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        raise ValueError(done.stderr.decode().strip())
    return done.stdout.decode()


def _main() -> None:
    import minify  # noqa: PLC0415  nowhere else than in the child

    minify.config({"js-version": ECMASCRIPT})
    try:
        script = minify.string("text/javascript", sys.stdin.buffer.read().decode())
    except minify.MinifyError as error:
        sys.exit(str(error).partition("\n")[0])
    sys.stdout.buffer.write(script.encode())


if __name__ == "__main__":
    _main()
