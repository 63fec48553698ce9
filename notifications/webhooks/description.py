"""The calls about webhooks, for the description of the API: path items, each complete in itself.

Members and their types come from the structs the answers are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from notifications.announcement import MAX_URL
from notifications.reading import MAX_BODY_BYTES
from notifications.webhooks import answers, api, hooks, incoming
from notifications.webhooks.wanted import MOST_NAME, NAME
from notifications.webhooks.webhook import EVENTS, MOST_WEBHOOKS, THENS

_PUBLISHED = {"$ref": "#/components/schemas/Published"}
_SITES = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
_WEBHOOK = {
    "type": "object",
    "required": ["url", "events"],
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string", "maxLength": MAX_URL, "description": "Where events are posted to; https."},
        "sites": {**_SITES, "description": "Whose announcements; left out: those of all sites."},
        "events": {"type": "array", "items": {"enum": [*EVENTS]}, "minItems": 1, "maxItems": len(EVENTS)},
        "tests": {"type": "boolean", "default": False, "description": "Also of announcements that are tests."},
    },
}
_HOOK = {
    "type": "object",
    "required": ["name", "sites", "then"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": MOST_NAME, "pattern": f"^{NAME.pattern}$"},
        "sites": _SITES,
        "then": {"enum": [*THENS], "description": "What becomes of what the CMS posts."},
    },
}
_POSTED = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"type": "string", "description": f"Taken are {', '.join(incoming.TYPES)}; others are passed over."},
        "data": {
            "type": "object",
            "required": ["title"],
            "description": "As a new announcement; `sites` and `severity` may be left out, and more may be said.",
            "properties": {
                "title": {"type": "string"},
                "body": {"type": ["string", "null"]},
                "url": {"type": ["string", "null"]},
                "severity": {"type": ["string", "null"], "default": incoming.SEVERITY},
                "sites": {"type": ["array", "null"], "items": {"type": "string"}},
                "section": {"type": ["string", "array", "null"], "items": {"type": "string"}},
            },
        },
    },
}
_WEBHOOK_EXAMPLE = {
    "url": "https://chat.example.vn/loa",
    "sites": ["demo"],
    "events": ["announcement.live", "announcement.recalled"],
}
_HOOK_EXAMPLE = {"name": "cms", "sites": ["demo"], "then": "waiting"}
_POSTED_EXAMPLE = {
    "type": "article.published",
    "data": {"title": "Lũ trên sông Mã lên nhanh", "url": "https://portal.example.vn/lu", "severity": "breaking"},
}


def _inline(kind: type) -> dict[str, Any]:
    """The JSON schema of a struct that has no structs in it but in lists."""
    (reference,), found = msgspec.json.schema_components([kind], ref_template="{name}")

    def whole(part: Any) -> Any:
        if isinstance(part, dict):
            return whole(found[part["$ref"]]) if "$ref" in part else {name: whole(one) for name, one in part.items()}
        return [whole(one) for one in part] if isinstance(part, list) else part

    schema: dict[str, Any] = whole(reference)
    return schema


def _body(schema: Mapping[str, Any], example: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _answers(status: int, text: str, schema: Mapping[str, Any] | None, *problems: int) -> dict[str, Any]:
    good: dict[str, Any] = {"description": text}
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
    return {str(status): good, **{str(one): _PROBLEMS[one] for one in sorted(problems)}}


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


_PROBLEMS = {
    400: _problem("The body is no JSON, or did not come whole."),
    401: _problem("Without a token or session that is good; for a hook: not signed as it must be."),
    403: _problem("The role may not."),
    404: _problem("There is no such webhook, hook or dead delivery."),
    408: _problem("The body did not come in time."),
    409: _problem("The name is taken, or there are as many as there may be."),
    413: _problem(f"The body is longer than {MAX_BODY_BYTES} bytes."),
    415: _problem("The body is of another type, or compressed."),
    422: _problem("Fields are wrong: `errors` names each."),
    429: _problem("Too many at once; `Retry-After` says when to come back."),
    503: _problem("The store does not answer."),
}
_READ = (401, 403, 429, 503)
_FOUND = (*_READ, 404)
_WRITE = (*_READ, 400, 408, 413, 415, 422)


def _call(id: str, summary: str, responses: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {"tags": ["webhooks"], "operationId": id, "summary": summary, **further, "responses": responses}


def _in_path(name: str, text: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}]


_ID = _in_path("id", "Its id, as the list shows it.")
_NAME = _in_path("name", "Its name.")
_SECRET_ONCE = "The secret is in this answer and in no other."  # noqa: S105  about one, and none

DESCRIBED: Mapping[str, Any] = {
    api.PATH: {
        "post": _call(
            "addWebhook",
            "Post what happens to announcements to an address",
            _answers(201, _SECRET_ONCE, _inline(answers.MadeWebhook), *_WRITE, 409),
            description=(
                f"At most {MOST_WEBHOOKS}. Takes the right to operate each of its sites. Messages are signed as "
                "standardwebhooks.com says and told at least once, each with a `webhook-id` of its own."
            ),
            requestBody=_body(_WEBHOOK, _WEBHOOK_EXAMPLE),
        ),
        "get": _call("listWebhooks", "List webhooks", _answers(200, "All.", _inline(answers.AllWebhooks), *_READ)),
    },
    f"{api.PATH}/{{id}}": {
        "parameters": _ID,
        "get": _call(
            "showWebhook", "Show a webhook", _answers(200, "As it stands.", _inline(answers.ShownWebhook), *_FOUND)
        ),
        "delete": _call("removeWebhook", "Tell it nothing more", _answers(204, "It is removed.", None, *_FOUND)),
    },
    f"{api.PATH}/{{id}}/test": {
        "parameters": _ID,
        "post": _call(
            "testWebhook", "Send it a test, once", _answers(200, "What came of it.", _inline(answers.Tried), *_FOUND)
        ),
    },
    f"{api.PATH}/{{id}}/rotate": {
        "parameters": _ID,
        "post": _call(
            "rotateWebhook", "Make a new secret", _answers(200, _SECRET_ONCE, _inline(answers.NewSecret), *_FOUND)
        ),
    },
    f"{api.PATH}/{{id}}/enable": {
        "parameters": _ID,
        "post": _call(
            "enableWebhook",
            "Tell one that was disabled what happens from now on",
            _answers(200, "As it stands.", _inline(answers.ShownWebhook), *_FOUND),
        ),
    },
    api.DEAD_PATH: {
        "get": _call(
            "listDeadDeliveries",
            "List what could not be delivered, the latest first",
            _answers(200, "At most a hundred.", _inline(answers.AllDead), *_READ),
        ),
    },
    f"{api.DEAD_PATH}/{{id}}": {
        "parameters": _ID,
        "delete": _call("dropDeadDelivery", "Give it up for good", _answers(204, "It is gone.", None, *_FOUND)),
    },
    f"{api.DEAD_PATH}/{{id}}/retry": {
        "parameters": _ID,
        "post": _call("retryDeadDelivery", "Deliver it after all", _answers(204, "It waits again.", None, *_FOUND)),
    },
    api.HOOKS_PATH: {
        "post": _call(
            "addHook",
            "Let a CMS make announcements",
            _answers(201, _SECRET_ONCE, _inline(answers.MadeHook), *_WRITE, 409),
            requestBody=_body(_HOOK, _HOOK_EXAMPLE),
        ),
        "get": _call("listHooks", "List the hooks", _answers(200, "All.", _inline(answers.AllHooks), *_READ)),
    },
    f"{api.HOOKS_PATH}/{{name}}": {
        "parameters": _NAME,
        "delete": _call("removeHook", "Believe it no more", _answers(204, "It is removed.", None, *_FOUND)),
    },
    f"{api.HOOKS_PATH}/{{name}}/rotate": {
        "parameters": _NAME,
        "post": _call(
            "rotateHook", "Make a new secret", _answers(200, _SECRET_ONCE, _inline(answers.NewSecret), *_FOUND)
        ),
    },
    hooks.PATH: {
        "parameters": _NAME,
        "post": _call(
            "takeFromCms",
            "What a CMS has published, as an announcement",
            {
                **_answers(201, "It is written.", _PUBLISHED, *_WRITE, 409),
                "200": {
                    "description": "It had been taken before.",
                    "content": {"application/json": {"schema": _PUBLISHED}},
                },
                "202": {
                    "description": "It is of no type that is taken; nothing was done.",
                    "content": {"application/json": {"schema": _inline(hooks.Ignored)}},
                },
            },
            description=(
                "Signed by `webhook-id`, `webhook-timestamp` and `webhook-signature`, as standardwebhooks.com says, "
                "within five minutes of now. A request that is repeated with its `webhook-id` is carried out once."
            ),
            security=[],
            requestBody=_body(_POSTED, _POSTED_EXAMPLE),
        ),
    },
}
