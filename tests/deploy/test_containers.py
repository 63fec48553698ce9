"""The image, the compose file and the pods of the Deployment, in real engines: built, run, broken and stopped.

What stands in for Kubernetes is Podman, which runs the pods of its manifests: security context, volumes, configuration,
secrets, entrypoint. Whom a Service, an Ingress or a NetworkPolicy leads where takes a cluster.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.supervisor import STOP_SECONDS
from tests.deploy.engines import PYTHON, VALKEY, Engine, docker, have, podman, state
from tests.deploy.tools import DEPLOY, ROOT, changed
from tests.patience import until
from tests.system.follower import Follower

# One engine at a time: those that are started here keep their images in one place.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("engines")]

PASSWORD = "nur-im-Test-und-lang-genug"
SECRET = "0123456789abcdef" * 2
IMAGE = "registry.example.vn/loa:0.1.0"
ASK = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8081/readyz').read().decode())"


@pytest.fixture(scope="module")
def engine(short_directory: Path) -> Iterator[Engine]:
    """Docker, with Loa's image as the Dockerfile builds it."""
    with docker(short_directory) as one:
        for image in (PYTHON, VALKEY):
            have(one, image)
        one("build", "--file", DEPLOY / "docker" / "Dockerfile", "--tag", "loa", "--tag", IMAGE, ROOT)
        yield one


def announce(engine: Engine, *where: str, site: str, title: str) -> str:
    """As an editor does, with a token made as the documentation says; the token."""
    *_, token = engine(*where, "loa", "token", "create", "--role", "editor", "--name", "thử").split()
    said = engine(
        *where, "loa", "announce", "--site", site, "--severity", "breaking", "--title", title, "--token", token
    )
    assert "safe on disk" in said
    return token


@pytest.fixture
def alone(engine: Engine) -> Iterator[str]:
    """The image by itself, on the Valkey that comes along, with as few rights as can be."""
    container = engine(
        *["run", "--detach", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"],
        *["--security-opt", "no-new-privileges", "--network", "none", "loa"],
    ).strip()
    yield container
    engine("rm", "--force", "--volumes", container)


def test_the_image_by_itself(engine: Engine, alone: str) -> None:
    engine.until("is healthy", "inspect", "--format", "is {{.State.Health.Status}}", alone)
    assert "uid=10001" in engine("exec", alone, "id")
    token = announce(engine, "exec", alone, site="demo", title="Nước lên")
    # Nothing is wrong: it would end with 1.
    engine("exec", alone, "loa", "doctor")
    engine("stop", "--time", str(int(STOP_SECONDS) + 5), alone)
    assert state(engine, alone)["ExitCode"] == 0
    logged = engine("logs", alone)
    assert '"event": "stopped"' in logged
    assert token not in logged and not re.search(r"loa_[0-9a-f]{8}_", logged)
    # What was confirmed outlives the container's stop.
    engine("start", alone)
    engine.until('"ready"', "exec", alone, "python", "-c", ASK)
    assert "Nước lên" in engine("exec", alone, "timeout", "2", "loa", "watch", "--json", check=False)


@pytest.fixture
def composed(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """`docker compose` with the file, up and healthy."""
    ours = tmp_path / "ours.yaml"
    ours.write_text(
        yaml.safe_dump(
            {
                "services": {
                    # Not every machine lets a container have more files than this one's processes have.
                    "loa": {"ulimits": {"nofile": {"soft": 20_000, "hard": 20_000}}},
                }
            }
        )
    )
    files = ["--file", str(DEPLOY / "docker" / "compose.yaml"), "--file", str(ours)]
    words = [*engine.words, "compose", *files, "--project-name", "loa-test"]
    compose = Engine(words, {**engine.environment, "LOA_REDIS_PASSWORD": PASSWORD, "LOA_PRESENCE_SECRET": SECRET})
    try:
        compose("up", "--detach", "--wait", "--no-build")
        yield compose
    finally:
        compose("down", "--volumes", "--timeout", str(int(STOP_SECONDS) + 5), check=False)


async def test_composed(composed: Engine) -> None:
    inside = ("exec", "--no-TTY", "loa")
    where = composed("port", "loa", "8080").strip()
    assert where.startswith("127.0.0.1:")
    async with Follower(f"http://{where}", "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        token = announce(composed, *inside, site="demo", title="Nước lên")
        await reader.until(lambda: len(reader.view) == 1)
        composed("kill", "valkey")
        composed.until("503", *inside, "python", "-c", ASK)
        await reader.until(lambda: reader.stale)
        composed("start", "valkey")
        composed.until('"ready"', *inside, "python", "-c", ASK)
        await reader.until(lambda: not reader.stale and reader.online == 1)
        assert [one["title"] for one in reader.view.values()] == ["Nước lên"]
        # Neither lost with the store nor shown once more.
        assert len(reader.shown) == 1
        composed("stop", "loa")
        await until(lambda: [code for code, _ in reader.closes] == [1012])
    logged = composed("logs", "loa")
    assert '"event": "stopped"' in logged
    for one in (PASSWORD, SECRET, token):
        assert one not in logged


def pod(manifests: list[dict[str, Any]], number: int, aliases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Deployment and its ConfigMap for one pod, `loa-{number}`: Podman shares what a cluster keeps apart."""
    ours = copy.deepcopy([one for one in manifests if one["kind"] in ("ConfigMap", "Deployment")])
    for one in ours:
        if one["kind"] == "ConfigMap":
            changes = {"rediss://loa@redis.example.vn:6379/0": "redis://redis:6379/0", "workers = 2": "workers = 1"}
            one["data"]["config.toml"] = changed(one["data"]["config.toml"], changes)
            continue
        one["metadata"]["name"] = f"loa-{number}"
        one["spec"]["replicas"] = 1
        spec = one["spec"]["template"]["spec"]
        spec["hostAliases"] = aliases
        (container,) = spec["containers"]
        # Podman would publish them on this machine.
        del container["ports"]
        for volume in spec["volumes"]:
            if "emptyDir" in volume:
                for mount in container["volumeMounts"]:
                    if mount["name"] == volume["name"]:
                        mount["name"] += f"-{number}"
                volume["name"] += f"-{number}"
    return ours


@pytest.fixture
def pods(engine: Engine, tmp_path: Path, short_directory: Path) -> Iterator[tuple[Engine, list[str]]]:
    """Two pods of the Deployment on one Valkey; Podman, and the names of their containers."""
    manifests = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "loa.yaml").read_text()))
    engine("tag", VALKEY, "store.example.vn/valkey:8")
    engine("save", "--output", tmp_path / "images.tar", IMAGE, "store.example.vn/valkey:8")
    with podman(short_directory) as one:
        one("load", "--input", tmp_path / "images.tar")
        (tmp_path / "images.tar").unlink()
        one("network", "create", "loa-test")
        try:
            one(
                *["run", "--detach", "--name", "redis", "--network", "loa-test", "store.example.vn/valkey:8"],
                *["valkey-server", "--requirepass", PASSWORD, "--protected-mode", "no", "--appendonly", "yes"],
            )
            # In place of a name service, which not every Podman has.
            template = '{{(index .NetworkSettings.Networks "loa-test").IPAddress}}'
            aliases = [{"ip": one("inspect", "--format", template, "redis").strip(), "hostnames": ["redis"]}]
            given = {"LOA_REDIS_PASSWORD": PASSWORD, "LOA_PRESENCE_SECRET": SECRET}
            encoded = {name: base64.b64encode(text.encode()).decode() for name, text in given.items()}
            (tmp_path / "secret.json").write_text(json.dumps(encoded))
            one("secret", "create", "loa", tmp_path / "secret.json")
            for number in range(2):
                file = tmp_path / f"loa-{number}.yaml"
                file.write_text(yaml.safe_dump_all(pod(manifests, number, aliases)))
                one("kube", "play", "--network", "loa-test", file)
            yield one, [f"loa-{number}-pod-0-loa" for number in range(2)]
        finally:
            one("pod", "rm", "--all", "--force", check=False)
            one("rm", "--all", "--force", check=False)
            one("network", "rm", "--force", "loa-test", check=False)


def test_pods(pods: tuple[Engine, list[str]]) -> None:
    engine, (first, second) = pods
    for one in (first, second):
        engine.until('"ready"', "exec", one, "python", "-c", ASK)
        assert "uid=10001" in engine("exec", one, "id")
        assert "Read-only file system" in engine("exec", one, "touch", "/etc/x", check=False)
        assert engine("exec", one, "sh", "-c", "grep CapEff /proc/1/status").split() == ["CapEff:", "0" * 16]
    token = announce(engine, "exec", first, site="portal", title="Nước lên")
    heard = engine("exec", second, "timeout", "2", "loa", "watch", "--site", "portal", "--json", check=False)
    assert "Nước lên" in heard
    # What the kubelet does to a pod that is to go.
    engine("stop", "--time", str(int(STOP_SECONDS) + 5), first)
    assert state(engine, first)["ExitCode"] == 0
    logged = engine("logs", first)
    for secret in (PASSWORD, SECRET, token):
        assert secret not in logged
