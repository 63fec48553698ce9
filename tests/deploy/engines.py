"""Docker with Compose, and Podman, as the tests of the image, the compose file and the pods use them.

An engine that runs is used; else one of our own is started, with all it keeps below `build/containers`. Images come
from a registry, or from the stand-in that `make containers` made.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from store.parentage import end_with_parent
from tests.deploy.tools import ROOT

TOOLS = ROOT / "build" / "containers"
STAND_IN = TOOLS / "stand-in.tar"
PYTHON = "python:3.13-slim-bookworm"
VALKEY = "valkey/valkey:8"
START_SECONDS = 90.0
_PAUSE_SECONDS = 0.2


class Failed(Exception):
    """A command of an engine failed; the text is what it said."""


class Engine:
    """A command line, `docker` or `podman`, with the options and the environment that lead to one engine."""

    def __init__(self, words: list[str], environment: Mapping[str, str]) -> None:
        self.words = words
        self.environment = {**os.environ, **environment}

    def __call__(self, *words: str | Path, check: bool = True) -> str:
        """What `words` print, both streams.

        Raises:
            Failed: They failed, and `check` was asked for.
        """
        said = subprocess.run(
            [*self.words, *map(str, words)],
            capture_output=True,
            encoding="utf-8",
            env=self.environment,
            cwd=ROOT,
            check=False,
        )
        if check and said.returncode:
            raise Failed(f"{words} → {said.returncode}: {said.stdout[-2_000:]}{said.stderr[-2_000:]}")
        return said.stdout + said.stderr

    def until(self, wanted: str, *words: str | Path) -> str:
        """What `words` print once `wanted` is in it; it may fail before."""
        deadline = time.monotonic() + START_SECONDS
        while wanted not in (said := self(*words, check=False)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{wanted!r} was never in what {words} print: {said[-2_000:]}")
            time.sleep(_PAUSE_SECONDS)
        return said


def _answers(engine: Engine) -> bool:
    with contextlib.suppress(Failed):
        engine("version")
        return True
    return False


@contextlib.contextmanager
def docker(directory: Path) -> Iterator[Engine]:
    """Docker: the machine's engine, else one that is started and ended here.

    Args:
        directory: For what a started one needs while it runs; sockets are among it, so its path must be short.
    """
    directory = directory / "docker"
    directory.mkdir(exist_ok=True)
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    configured = {"DOCKER_CONFIG": str(TOOLS / "config")} if (TOOLS / "config").exists() else {}
    engine = Engine(["docker"], configured)
    with contextlib.ExitStack() as stack:
        if not _answers(engine):
            daemon = shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin")
            if daemon is None or os.geteuid() != 0:
                pytest.skip("no Docker engine runs, and none can be started")
            socket = f"unix://{directory / 'docker.sock'}"
            with (directory / "dockerd.log").open("wb") as log:
                running = subprocess.Popen(
                    [
                        *[daemon, "--host", socket, "--data-root", TOOLS / "docker"],
                        *["--exec-root", directory / "exec", "--pidfile", directory / "pid"],
                    ],
                    stdout=log,
                    stderr=log,
                    preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one call, looked up before the fork
                )
            stack.callback(running.wait)
            stack.callback(running.terminate)
            engine = Engine(["docker", "--host", socket], configured)
            deadline = time.monotonic() + START_SECONDS
            while not _answers(engine):
                if running.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"the engine does not start here: {(directory / 'dockerd.log').read_text()[-500:]}")
                time.sleep(_PAUSE_SECONDS)
        if "Docker Compose" not in engine("compose", "version", check=False):
            pytest.skip("docker has no compose")
        yield engine


def have(engine: Engine, image: str) -> None:
    """Pulls `image`, or lets the stand-in take its place."""
    with contextlib.suppress(Failed):
        engine("image", "inspect", image)
        return
    with contextlib.suppress(Failed):
        engine("pull", "--quiet", image)
        return
    if not STAND_IN.exists():
        pytest.skip(f"{image} cannot be pulled, and nothing stands in for it: run `make containers`")
    engine("import", STAND_IN, image)


@contextlib.contextmanager
def podman(directory: Path) -> Iterator[Engine]:
    """Podman, with all it keeps in `directory`; what is left of pods, containers and networks is removed at the end.

    Podman takes no `directory` of more than 40 characters.
    """
    directory = directory / "podman"
    directory.mkdir(exist_ok=True)
    if shutil.which("podman") is None or os.geteuid() != 0:
        pytest.skip("podman is not installed, or may not make pods")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    (directory / "containers.conf").write_text(
        # Podman would raise limits, which not every machine lets it.
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n'
    )
    environment = {"CONTAINERS_CONF": str(directory / "containers.conf")}
    kept = ["--root", str(directory / "root"), "--runroot", str(directory / "run")]
    engine = Engine(["podman", *kept], environment)
    try:
        yield engine
    finally:
        engine("pod", "rm", "--all", "--force", check=False)
        engine("rm", "--all", "--force", check=False)
        engine("system", "reset", "--force", check=False)


def state(engine: Engine, container: str) -> dict[str, object]:
    """What the engine knows of how `container` is."""
    known: dict[str, object] = json.loads(engine("inspect", "--format", "{{json .State}}", container))
    return known
