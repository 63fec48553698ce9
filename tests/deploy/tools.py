"""Programs that `make proxies` sees to, and where `deploy/` is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def program(name: str) -> str:
    """Where `name` is; without it the test is skipped, save in `make deploytest`, which sees to it where it can."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", str(ROOT / "build" / "tools" / "usr" / "bin")])
    found = shutil.which(name, path=path)
    if found is None:
        release = Path("/etc/os-release")
        debian = release.exists() and "ID=debian" in release.read_text().splitlines()
        if os.environ.get("DEPLOY_TESTS") and os.geteuid() == 0 and debian:
            pytest.fail(f"{name} is missing: run `make proxies`")
        pytest.skip(f"{name} is not installed")
    return found


def changed(text: str, changes: dict[str, str]) -> str:
    """`text` with each old part, which must be there, replaced by the new one."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the file any more"
        text = text.replace(old, new)
    return text
