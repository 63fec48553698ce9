"""The description, held against the code: the routes, the structs, the limits and the examples."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from notifications import openapi, validation
from notifications.announcement import ApprovalForEditors, Audience, Cap, ForEditors, Text
from notifications.answers import Published
from notifications.api import Listed
from notifications.errors import Invalid
from notifications.people.cookies import SESSION
from notifications.reading import Query
from notifications.settings import NotificationsSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.service import SITES, Answer, Room, serving_api
from tests.notifications.service import api as making

API = openapi.describe(NotificationsSettings())
SCHEMAS = API["components"]["schemas"]
METHODS = ("get", "post", "patch", "put", "delete")
CALLS = [
    (path, method, call) for path, item in API["paths"].items() for method, call in item.items() if method in METHODS
]
EXAMPLE = API["paths"]["/api/v1/announcements"]["post"]["requestBody"]["content"]["application/json"]["example"]
BOUNDS = validation.Bounds(SITES.keys(), 3600, 30 * 86_400)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether `value` is what `schema` describes; the part of JSON Schema that the description uses."""
    if "$ref" in schema:
        return fits(value, SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(fits(value, one) for one in schema["anyOf"])
    if isinstance(schema.get("type"), list):
        return any(fits(value, {**schema, "type": one}) for one in schema["type"])
    known = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    known["number"] = (int, float)
    kind = known[schema["type"]] if "type" in schema else object
    # In Python True is a number as well; in JSON it is none.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return False
    return value in schema.get("enum", [value]) and bool(_WITHIN.get(kind, _anything)(value, schema))


def _anything(value: Any, schema: dict[str, Any]) -> bool:
    return True


def _text(value: str, schema: dict[str, Any]) -> bool:
    within = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return within and re.search(schema.get("pattern", ""), value) is not None


def _number(value: int, schema: dict[str, Any]) -> bool:
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _list(value: list[Any], schema: dict[str, Any]) -> bool:
    within = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
    return within and all(fits(one, schema["items"]) for one in value)


def _object(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    if schema.get("additionalProperties"):
        within = len(value) <= schema.get("maxProperties", len(value))
        return within and all(fits(one, schema["additionalProperties"]) for one in value.values())
    members = schema["properties"]
    complete = set(schema["required"]) <= set(value) and len(value) >= schema.get("minProperties", 0)
    return complete and set(value) <= set(members) and all(fits(value[name], members[name]) for name in value)


_WITHIN: dict[type, Any] = {str: _text, int: _number, list: _list, dict: _object}


@pytest.fixture
async def room(valkey: Redis, prefix: str) -> AsyncIterator[Room]:
    async with serving_api(valkey, prefix, SETTINGS) as room:
        yield room


def test_has_what_openapi_asks_for() -> None:
    assert API["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(API["info"])
    operations = [call["operationId"] for _, _, call in CALLS]
    assert len(operations) == len(set(operations))
    for path, _, call in CALLS:
        assert call["responses"]
        assert all(
            re.fullmatch("[1-5][0-9]{2}", status) and one["description"] for status, one in call["responses"].items()
        )
        named = {one["name"] for one in API["paths"][path].get("parameters", []) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_says_how_one_is_let_in() -> None:
    schemes = API["components"]["securitySchemes"]
    assert {scheme for one in API["security"] for scheme in one} == schemes.keys()
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", SESSION)


def test_every_reference_leads_somewhere() -> None:
    for kind, name in re.findall(r'"#/components/(\w+)/([\w-]+)"', msgspec.json.encode(API).decode()):
        assert name in API["components"][kind]


async def test_describes_every_route_and_no_other(room: Room) -> None:
    api = (await room.editor.send("GET", openapi.PATH)).json
    described = {(method.upper(), path) for path, item in api["paths"].items() for method in item if method in METHODS}
    routes = making(None, SETTINGS, None, None).routes()  # type: ignore[arg-type]
    assert described == {(route.method, route.path) for route in routes}


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        ("Draft", validation.DRAFT_FIELDS),
        ("Change", validation.CHANGE_FIELDS),
        ("Recall", validation.RECALL_FIELDS),
        ("Reason", validation.RECALL_FIELDS),
        ("Schedule", validation.SCHEDULE_FIELDS),
        ("Text", Text.__struct_fields__),
        ("Audience", Audience.__struct_fields__),
        ("Cap", Cap.__struct_fields__),
        ("Approval", ApprovalForEditors.__struct_fields__),
        ("Announcement", ForEditors.__struct_fields__),
        ("Published", Published.__struct_fields__),
        ("Listed", Listed.__struct_fields__),
    ],
)
def test_names_the_members_the_code_has(schema: str, fields: tuple[str, ...]) -> None:
    assert set(SCHEMAS[schema]["properties"]) == set(fields)


def test_names_the_parameters_the_code_has() -> None:
    listing = API["paths"]["/api/v1/announcements"]["get"]
    assert {one["name"] for one in listing["parameters"]} == set(Query._fields)


def test_its_limits_are_the_ones_enforced() -> None:
    for field in ("title", "body"):
        longest = SCHEMAS["Draft"]["properties"][field]["maxLength"]
        for length, accepted in ((longest, True), (longest + 1, False)):
            document = {"sites": ["demo"], "severity": "info", "title": "x", field: "x" * length}
            if accepted:
                validation.draft(document, BOUNDS)
            else:
                with pytest.raises(Invalid):
                    validation.draft(document, BOUNDS)
    most = SCHEMAS["Draft"]["properties"]["sites"]["maxItems"]
    sites = [f"site-{number}" for number in range(most + 1)]
    many = BOUNDS._replace(sites=sites)
    validation.draft({"sites": sites[:most], "severity": "info", "title": "x"}, many)
    with pytest.raises(Invalid):
        validation.draft({"sites": sites, "severity": "info", "title": "x"}, many)
    settings = NotificationsSettings(max_expiry_days=3, default_expiry_seconds=60)
    expires_in = openapi.describe(settings)["components"]["schemas"]["Draft"]["properties"]["expires_in"]
    assert (expires_in["maximum"], expires_in["default"]) == (3 * 86_400, 60)


@pytest.mark.parametrize("call", [call for _, _, call in CALLS], ids=[call["operationId"] for _, _, call in CALLS])
def test_its_examples_are_what_it_describes(call: dict[str, Any]) -> None:
    contents = [call["requestBody"]["content"]] if "requestBody" in call else []
    contents += [answer["content"] for answer in call["responses"].values() if "content" in answer]
    for content in contents:
        for kind in content.values():
            if "example" in kind:
                assert fits(kind["example"], kind["schema"])


def test_its_example_requests_are_accepted() -> None:
    bodies = {
        call["operationId"]: call["requestBody"]["content"]["application/json"]["example"]
        for _, _, call in CALLS
        if "requestBody" in call
    }
    validation.draft(bodies["publish"], BOUNDS)
    validation.update(bodies["update"], BOUNDS)
    for act in ("submit", "approve", "unschedule", "send", "discard", "recall"):
        validation.recall(bodies[act])
    for act in ("return", "reject"):
        validation.recall(bodies[act], why=True)
    assert validation.schedule(bodies["schedule"], BOUNDS, ())[0]


async def test_real_answers_are_what_it_describes(room: Room) -> None:
    published = await room.editor.send("POST", "", EXAMPLE)
    path = f"/{published.json['id']}"
    answers = [
        ("publish", published),
        ("publish", await room.editor.send("POST", "", {**EXAMPLE, "title": ""})),
        ("update", await room.editor.send("PATCH", path, {"title": "x"})),
        ("update", await room.editor.send("PATCH", path, {"title": "x", "revision": 1})),
        ("show", await room.editor.send("GET", path)),
        ("list", await room.editor.send("GET")),
        ("recall", await room.editor.send("POST", path + "/recall", {"reason": "nhầm"})),
        ("update", await room.editor.send("PATCH", path, {"title": "x"})),
        ("update", await room.editor.send("PATCH", path, {"title": "x"}, headers={"If-Match": '"1"'})),
    ]
    described = {call["operationId"]: call["responses"] for _, _, call in CALLS}
    for operation, answer in answers:
        told = described[operation][str(answer.status)]
        (content,) = told["content"].values()
        assert fits(answer.json, content["schema"]), (operation, answer.status, answer.body)
        assert_headers_are_described(answer, told)


@pytest.mark.slow
async def test_what_asks_to_come_again_says_when(valkey: Redis, prefix: str, short_directory: Path) -> None:
    settings = NotificationsSettings(publishes_per_second=0.01, publish_burst=1)
    away = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock", connections=2)
    async with serving_api(valkey, prefix, settings) as room:
        room.log._committer._redis = away
        answers = [await room.editor.send("POST", "", EXAMPLE) for _ in range(2)]
        room.tokens._redis = away
        answers.append(await room.editor.send("POST", "", EXAMPLE))
    await away.aclose()
    assert [answer.status for answer in answers] == [503, 429, 503]
    for answer in answers:
        told = API["paths"]["/api/v1/announcements"]["post"]["responses"][str(answer.status)]
        assert "Retry-After" in answer.headers
        assert fits(answer.json, SCHEMAS["Problem"])
        assert_headers_are_described(answer, told)


def assert_headers_are_described(answer: Answer, told: dict[str, Any]) -> None:
    """Those that the description knows are on the answers it says, and hold what it says."""
    known = API["components"]["headers"]
    sent = {name for name in known if name in answer.headers}
    described = set(told.get("headers", {}))
    assert sent <= described
    # A conflict has the revision only where that is what it is about.
    assert sent == described or (answer.status == 409 and "revision" not in answer.json)
    for name in sent:
        text = answer.headers[name]
        schema = known[name]["schema"]
        assert fits(int(text) if schema["type"] == "integer" else text, schema)
        assert fits(known[name]["example"], schema)


def test_other_rooms_add_their_paths() -> None:
    item = {"get": {"operationId": "presence", "summary": "How many <are> here", "responses": {}}}
    described = openapi.describe(NotificationsSettings(), {"/api/v1/sites/{site}/presence": item})
    added = described["paths"]["/api/v1/sites/{site}/presence"]["get"]
    assert added == {**item["get"], "responses": added["responses"]}


def test_every_call_may_be_refused_at_the_gate() -> None:
    assert all("431" in call["responses"] for _, _, call in CALLS)
