"""`/api/openapi.json` held against the service by schemathesis: requests it allows and requests it forbids, by the
hundred, and whatever is answered must be what it says is answered.

It knows no path by name but asks the service for its description: a room that adds paths to it is held to them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.service import Service
from tests.system.over_http import BROWSER

# Of each call, of what is allowed and of what is not.
EXAMPLES = 4
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FORBIDDING = [*CHECKS, negative_data_rejection, missing_required_header, unsupported_method, ignored_auth]
# In which an announcement may be when it is asked about.
STATES = ("live", "draft", "waiting", "scheduled")
# What one person alone cannot do, for it takes a colleague; what takes a delivery, or a webhook, that has failed for
# hours; what takes a signature over the very body; and a body in XML. Tests of their own show these answered.
NOT_HERE = {
    *(f"POST /api/v1/announcements/{{id}}/{act}" for act in ("approve", "return", "reject")),
    "DELETE /api/v1/webhooks/dead/{id}",
    "POST /api/v1/webhooks/dead/{id}/retry",
    "POST /api/v1/webhooks/{id}/enable",
    "POST /api/v1/hooks/{name}",
    "POST /api/v1/cap/{site}",
}
# Nobody is told to slow down: that is another test's matter.
SETTINGS = """
publishes_per_second = 10000
publish_burst = 100000
max_active = 5000
failed_logins_per_minute = 10000
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("described"), 0, more_notifications=SETTINGS) as service:
        yield service


def operations(service: Service) -> list[Any]:
    """All that is described."""
    config = schemathesis.Config()
    # Who asks is said by the session.
    config.projects.default.generation.with_security_parameters = False
    # Besides what it takes for a refusal anyway, that of the gate: something that is wrong by its length.
    refusing = config.projects.default.checks.negative_data_rejection.expected_statuses
    config.projects.default.checks.negative_data_rejection.expected_statuses = [*refusing, "431"]
    # A stream says at once how it is, and then only what changes.
    config.projects.default.max_stream_events = 1
    schema = schemathesis.openapi.from_url(f"{service.url}/api/openapi.json", config=config)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.fixture
def authorization(service: Service) -> dict[str, str]:
    """Of one who may do everything: an editor is forbidden whole rooms."""
    said = asyncio.run(service.loa("token", "create", "--role", "admin", "--name", "described"))
    assert said.code == 0, said.errors
    return {"Authorization": f"Bearer {said.output.split()[-1]}"}


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a minute and a half on a quiet machine
def test_all_that_is_answered_is_as_described(service: Service, authorization: dict[str, str]) -> None:
    with requests.Session() as http:
        http.headers.update({**authorization, "User-Agent": BROWSER})
        found = operations(service)
        assert len(found) >= 15
        answered: dict[str, set[int]] = {operation.label: set() for operation in found}
        wrong = [
            f"{operation.label}, {mode.value}: {error}"
            for operation in found
            for mode, state in occasions(operation)
            for error in faults(service, http, operation, mode, state=state, statuses=answered[operation.label])
        ]
    assert not wrong, "\n\n".join(wrong)
    # Else nothing would have been said of the answers that matter.
    assert {label for label, statuses in answered.items() if min(statuses) >= 400} <= NOT_HERE


def occasions(operation: Any) -> list[tuple[GenerationMode, str]]:
    """What is forbidden, what is allowed, and of that what means something: in each state of an announcement."""
    states = STATES if "/announcements/{id}" in operation.path else STATES[:1]
    allowed = [(GenerationMode.POSITIVE, state) for state in ("", *states)]
    return [*allowed, (GenerationMode.NEGATIVE, "")]


def faults(
    service: Service, http: requests.Session, operation: Any, mode: GenerationMode, *, state: str, statuses: set[int]
) -> list[str]:
    """What one call answers that it should not; notes what it answers."""
    checks = CHECKS if mode is GenerationMode.POSITIVE else FORBIDDING

    @settings(
        max_examples=2 if state else EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if state:
            lead_somewhere(case, service, http, state)
        answer = case.call_and_validate(base_url=service.url, session=http, checks=checks)
        statuses.add(answer.status_code)

    try:
        ask()
    except Unsatisfiable:
        # It takes nothing that could be wrong.
        return []
    except FailureGroup as group:
        # With what was asked, and by which command it can be asked again.
        return [str(group)]
    return []


def lead_somewhere(case: Case, service: Service, http: requests.Session, state: str) -> None:
    """Makes of a request one that means something: about a site and an announcement that exist, as in the example."""
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    if example := content.get("application/json", {}).get("example"):
        case.body = {name: value for name, value in example.items() if name != "revision"}
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    if isinstance(case.body, dict):
        to_exist = {"sites": ["demo"], "starts_at": soon, "name": f"cms-{secrets.token_hex(4)}"}
        case.body.update({name: value for name, value in to_exist.items() if name in case.body})
    case.query.clear()
    if "site" in case.path_parameters:
        case.path_parameters["site"] = "demo"
    if case.path == "/api/v1/audience":
        case.query["site"] = ["demo"]
    if "id" in case.path_parameters and ("/announcements/" in case.path or case.path.endswith(".cap")):
        draft = {"sites": ["demo"], "severity": "info", "title": "Tin", "status": state}
        if state == "scheduled":
            draft["starts_at"] = soon
        made = http.post(f"{service.url}/api/v1/announcements", json=draft)
        case.path_parameters["id"] = made.json()["id"]
    if case.path.startswith("/api/v1/webhooks/{id}"):
        wanted = {"url": "https://chat.example.vn/loa", "sites": ["demo"], "events": ["announcement.live"]}
        made = http.post(f"{service.url}/api/v1/webhooks", json=wanted)
        case.path_parameters["id"] = made.json()["id"]
    if case.path.startswith("/api/v1/webhooks/in/"):
        hook = {"name": f"cms-{secrets.token_hex(4)}", "sites": ["demo"], "then": "draft"}
        made = http.post(f"{service.url}/api/v1/webhooks/in", json=hook)
        case.path_parameters["name"] = made.json()["name"]
    # Of a key that was used before, the answer would be another.
    case.headers.pop("Idempotency-Key", None)
    case.headers.pop("If-Match", None)
