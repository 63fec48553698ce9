"""Unit, image, compose file and manifests against what the code offers: ports, paths, signals, times, settings.

Nothing here runs them: see test_containers.py.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from loa import Settings
from operations.listener import Watch, application
from operations.settings import OperationsSettings, ServerSettings
from operations.supervisor import STOP_SECONDS
from settings.loader import load
from tests.deploy.tools import DEPLOY, ROOT

UNIT = (DEPLOY / "systemd" / "loa.service").read_text()
DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())["services"]
MANIFESTS = {one["kind"]: one for one in yaml.safe_load_all((DEPLOY / "kubernetes" / "loa.yaml").read_text())}
POD = MANIFESTS["Deployment"]["spec"]["template"]
CONTAINER = POD["spec"]["containers"][0]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


async def _reports() -> list[Any]:
    return []


def ops_paths() -> set[str]:
    return {route.resource.canonical for route in application(Watch(_reports)).router.routes() if route.resource}


def of_the_unit(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


@pytest.mark.slow
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        # It comes with systemd, which a container has no use for; the unit's promises are held by the tests below.
        pytest.skip("systemd-analyze is not installed")
    # What it starts has to be there.
    text = UNIT.replace("/opt/loa/.venv/bin/loa", "/bin/true").replace("WorkingDirectory=/var/lib/loa\n", "")
    (tmp_path / "loa.service").write_text(text)
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    said = subprocess.run(
        [analyze, "verify", tmp_path / "loa.service"], capture_output=True, text=True, env=environment, check=False
    )
    ours = [line for line in (said.stdout + said.stderr).splitlines() if "loa.service" in line]
    assert (said.returncode, ours) == (0, [])


def test_the_unit_gives_what_the_service_needs() -> None:
    gateway = Settings().gateway
    assert int(of_the_unit("LimitNOFILE")[0]) >= gateway.sessions_per_worker + gateway.other_connections + 200
    assert int(of_the_unit("TimeoutStopSec")[0]) > STOP_SECONDS
    assert of_the_unit("Type") == ["notify"]
    assert of_the_unit("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    # The store and the workers are the supervisor's to stop.
    assert of_the_unit("KillMode") == ["mixed"]
    for line in of_the_unit("Environment"):
        load(Settings, None, dict(one.split("=", 1) for one in shlex.split(line) if one.startswith("LOA_")))


def test_the_unit_starts_it_without_a_place_to_show_a_token() -> None:
    (start,) = of_the_unit("ExecStart")
    shell, flag, script = shlex.split(start)
    assert (shell, flag) == ("/bin/sh", "-c")
    assert script.startswith("exec /opt/loa/.venv/bin/loa serve ")
    assert script.endswith(" >&-")


def test_the_image() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2
    last = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    user = re.findall(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert user and user[0][0] != "0"
    assert re.findall(r"^EXPOSE (.*)$", last, re.MULTILINE) == [f"{ServerSettings().port} {OperationsSettings().port}"]
    check = json.loads(re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])$", last, re.MULTILINE)[0])
    compile(check[2], "HEALTHCHECK", "exec")
    assert f"http://127.0.0.1:{OperationsSettings().port}/readyz" in check[2]
    for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists()


def test_the_compose_file() -> None:
    loa, valkey = COMPOSE["loa"], COMPOSE["valkey"]
    assert (DEPLOY / "docker" / loa["build"]["context"] / loa["build"]["dockerfile"]).resolve().is_file()
    given = {name: re.sub(r"\$\{\w+(?::-(.*?)|:\?.*?)?\}", r"\1", text) for name, text in loa["environment"].items()}
    given["LOA_PRESENCE_SECRET"] = "x" * 32
    settings = load(Settings, None, given)
    assert settings.redis.url == "redis://valkey:6379/0"
    assert settings.operations.host == "0.0.0.0"  # noqa: S104  compared with, not bound to
    assert loa["ports"] == [f"127.0.0.1:{settings.server.port}:{settings.server.port}"]
    assert int(loa["stop_grace_period"].removesuffix("s")) > STOP_SECONDS
    assert "--appendonly yes" in valkey["command"]
    assert "noeviction" in valkey["command"]
    # The ops port is published to nobody.
    assert not any(str(settings.operations.port) in port for port in loa["ports"])


@pytest.fixture
def pod_settings(tmp_path: Path) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(MANIFESTS["ConfigMap"]["data"]["config.toml"])
    return load(Settings, file, {"LOA_REDIS_PASSWORD": "x", "LOA_PRESENCE_SECRET": "x" * 32})


@pytest.mark.parametrize("kind", MANIFESTS)
def test_the_manifests_are_what_kubernetes_takes(kind: str) -> None:
    # Strict: a member that does not exist, such as one misspelt, is refused as well.
    kubernetes_validate.validate(MANIFESTS[kind], kubernetes_validate.latest_version(), strict=True)


def test_probes_and_ports(pod_settings: Settings) -> None:
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"http": pod_settings.server.port, "ops": pod_settings.operations.port}
    for probe in PROBES:
        get = CONTAINER[probe]["httpGet"]
        assert get["port"] == "ops"
        assert get["path"] in ops_paths()
    # One that is alive and not ready (Redis away, draining) must not be started again.
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert POD["metadata"]["annotations"]["prometheus.io/path"] in ops_paths()
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(pod_settings.operations.port)
    # The kubelet asks from outside the pod.
    assert pod_settings.operations.host == "0.0.0.0"  # noqa: S104  compared with, not bound to
    assert MANIFESTS["Service"]["spec"]["ports"][0]["targetPort"] == "http"


def test_leaving() -> None:
    (word, seconds) = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert word == "sleep"
    assert POD["spec"]["terminationGracePeriodSeconds"] > int(seconds) + STOP_SECONDS
    # Told everywhere before SIGTERM: a probe that fails twice takes less.
    assert MANIFESTS["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert MANIFESTS["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert MANIFESTS["Deployment"]["spec"]["replicas"] > 1


def test_all_select_the_same_pods() -> None:
    labels = POD["metadata"]["labels"]
    assert MANIFESTS["Service"]["spec"]["selector"] == labels
    for selector in (
        MANIFESTS["Deployment"]["spec"]["selector"],
        MANIFESTS["PodDisruptionBudget"]["spec"]["selector"],
        MANIFESTS["NetworkPolicy"]["spec"]["podSelector"],
    ):
        assert selector["matchLabels"] == labels


def test_a_service_of_that_name_brings_no_settings_along() -> None:
    # Kubernetes would set LOA_PORT and the like, which Loa refuses as misspelt settings.
    assert POD["spec"]["enableServiceLinks"] is False


def test_nobody_is_root() -> None:
    assert POD["spec"]["securityContext"]["runAsNonRoot"] is True
    assert f"USER {POD['spec']['securityContext']['runAsUser']}:" in DOCKERFILE
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    assert COMPOSE["loa"]["read_only"] is True
