"""The unit under a real systemd, installed by the very lines of docs/running.md: started, reloaded, hung, stopped."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.engines import TOOLS, Engine, docker
from tests.deploy.tools import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("engines")]

MACHINE = TOOLS / "systemd.tar"
CGROUPS = Path("/sys/fs/cgroup")
LOA = "/opt/loa/.venv/bin/loa"
WHERE = ("--config", "/etc/loa/config.toml", "--data-dir", "/var/lib/loa")


def documented() -> list[str]:
    """What the documentation has an operator type as root."""
    text = (ROOT / "docs" / "running.md").read_text().split("\n## Under systemd\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line.removeprefix("# ") for line in block.splitlines()]


class Machine:
    """A container whose first process is systemd."""

    def __init__(self, engine: Engine, container: str) -> None:
        self.engine = engine
        self._container = container

    def __call__(self, line: str, *, check: bool = True) -> str:
        """What the shell's `line` prints, typed by root in /opt/loa."""
        return self.engine("exec", self._container, "sh", "-c", f"cd /opt/loa && {line}", check=check)

    def until(self, wanted: str, line: str) -> None:
        """Waits until `wanted` is in what `line` prints."""
        self.engine.until(wanted, "exec", self._container, "sh", "-c", line)

    def property(self, name: str) -> str:
        """What systemd says of the unit."""
        return self(f"systemctl show --property {name} --value loa").strip()


def cgroups() -> list[str]:
    """The options that give systemd the machine's control groups.

    Of the older kind each controller by itself: systemd makes the directory they are in read-only, which would be the
    machine's own.
    """
    if (CGROUPS / "cgroup.controllers").exists():
        return ["--volume", f"{CGROUPS}:{CGROUPS}:rw"]
    mounted = [path for path in sorted(CGROUPS.iterdir()) if path.is_mount() and not path.is_symlink()]
    return ["--tmpfs", f"{CGROUPS}:mode=755", *[f"--volume={path}:{path}:rw" for path in mounted]]


@pytest.fixture
def machine(tmp_path: Path, short_directory: Path) -> Iterator[Machine]:
    """A machine of its own, with a clone of this in /opt/loa."""
    if not MACHINE.exists():
        pytest.skip(f"{MACHINE.name} is not there: run `make containers`")
    with docker(short_directory) as engine:
        engine("import", MACHINE, "loa-test-systemd")
        container = engine(
            *["run", "--detach", "--tmpfs", "/run", "--tmpfs", "/tmp"],
            # What systemd needs to confine others, as a machine has it.
            *["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--ulimit", "nofile=20000:20000"],
            *["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
            *["--cgroupns", "host", *cgroups()],
            *["--stop-signal", "SIGRTMIN+3", "loa-test-systemd", "/sbin/init"],
        ).strip()
        try:
            one = Machine(engine, container)
            one.until("running", "systemctl is-system-running")
            files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
            packed = tmp_path / "loa.tar"
            subprocess.run(
                ["tar", "--create", "--file", packed, "--null", "--files-from", "-"], cwd=ROOT, input=files, check=True
            )
            engine("exec", container, "mkdir", "/opt/loa")
            engine("cp", packed, f"{container}:/tmp-loa.tar")
            one("tar --extract --file /tmp-loa.tar --no-same-owner && make .venv/installed")
            yield one
        finally:
            engine("rm", "--force", "--volumes", container, check=False)


def test_the_unit_lives_as_documented(machine: Machine) -> None:
    for line in documented():
        said = machine(line)
    assert re.fullmatch(r"loa_[0-9a-f]{8}_[0-9a-f]+", said.split()[-1])
    assert machine.property("ActiveState") == "active"
    assert machine.property("StatusText").startswith("2 workers at ")
    # Nothing is wrong, a WebSocket included: it would end with 1.
    machine(f"runuser -u loa -- {LOA} doctor {' '.join(WHERE)}")
    assert machine("systemd-analyze verify /etc/systemd/system/loa.service") == ""

    machine("systemctl reload loa")
    machine.until("settings reloaded", "journalctl --unit loa --output cat")
    assert machine.property("NRestarts") == "0"

    # A supervisor that hangs is ended and replaced, and takes what it had started with it.
    hung = machine.property("MainPID")
    machine(f"kill -STOP {hung}")
    machine.until("is 1", "echo is $(systemctl show --property NRestarts --value loa)")
    machine.until("is active", "echo is $(systemctl is-active loa)")
    assert machine.property("MainPID") not in ("0", hung)
    machine(f"runuser -u loa -- {LOA} doctor {' '.join(WHERE)}")

    machine("systemctl stop loa")
    assert (machine.property("Result"), machine.property("ExecMainStatus")) == ("success", "0")
    assert machine("pgrep --uid loa", check=False) == ""
    assert not re.search(r"loa_[0-9a-f]{8}_", machine("journalctl --unit loa --output cat"))
