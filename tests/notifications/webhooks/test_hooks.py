"""A CMS announces: signed requests over a real socket, to a real store."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.reading import MAX_BODY_BYTES
from notifications.trail import Trail
from tests.notifications.making import by
from tests.notifications.webhooks.conftest import SETTINGS
from tests.notifications.webhooks.office import Office, serving

ARTICLE = {
    "type": "article.published",
    "timestamp": "2026-11-27T08:00:00Z",
    "data": {
        "title": "Lũ trên sông Mã lên nhanh",
        "body": "Chủ động di chuyển.",
        "url": "https://portal.example.vn/lu",
        "severity": "breaking",
        "section": "thoi-su",
        "author": "whoever the CMS says",
        "tags": ["lũ"],
    },
}


def article(**data: Any) -> dict[str, Any]:
    return {**ARTICLE, "data": {"title": "Tin", **data}}


@pytest.mark.parametrize(("then", "status"), [("live", "live"), ("draft", "draft"), ("waiting", "waiting")])
async def test_what_is_posted_becomes_what_the_hook_says(office: Office, then: str, status: str) -> None:
    secret = await office.hook(then)
    answer = await office.post(ARTICLE, secret)
    assert answer.status == 201, answer.body
    assert answer.json["status"] == status
    assert (answer.json["author"], answer.json["sessions"]) == ("webhook:cms", 3 if then == "live" else 0)
    found = (await office.log.get(answer.json["id"])).announcement
    assert (found.title, found.severity, found.sites) == ("Lũ trên sông Mã lên nhanh", "breaking", ("demo",))
    assert found.audience.sections == ("thoi-su",)


async def test_a_draft_is_a_draft_whatever_the_hook_says(office: Office) -> None:
    secret = await office.hook("live")
    answer = await office.post({**article(), "type": "announcement.draft"}, secret)
    assert (answer.status, answer.json["status"]) == (201, "draft")
    assert answer.json["severity"] == "notice"


async def test_what_the_policy_wants_approved_waits(redis: Redis, prefix: str) -> None:
    settings = replace(SETTINGS, approvals=["*/emergency 1"])
    async with serving(redis, prefix, settings) as office:
        secret = await office.hook("live")
        statuses = [
            (await office.post(article(severity=severity), secret, id=severity)).json["status"]
            for severity in ("breaking", "emergency")
        ]
    assert statuses == ["live", "waiting"]


async def test_what_is_posted_again_is_done_once_and_answered_the_same(office: Office) -> None:
    secret = await office.hook()
    first, *others = await asyncio.gather(*(office.post(ARTICLE, secret) for _ in range(5)))
    answers = [first, *others, await office.post(ARTICLE, secret)]
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 200, 201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len((await office.log.page()).found) == 1
    other = await office.post(article(), secret)
    assert (other.status, other.wrong) == (409, {"Idempotency-Key": ""})


async def test_the_same_id_by_another_hook_is_another_request(office: Office) -> None:
    secrets = [await office.hook(name=name) for name in ("cms", "cms-2")]
    answers = [
        await office.post(ARTICLE, secret, name=name) for name, secret in zip(("cms", "cms-2"), secrets, strict=True)
    ]
    assert [answer.status for answer in answers] == [201, 201]


@pytest.mark.parametrize("off", [-301, 301, -90_000])
async def test_what_was_signed_long_ago_or_too_early_is_refused(office: Office, off: int) -> None:
    secret = await office.hook()
    assert (await office.post(ARTICLE, secret, off=off + (5 if off > 0 else 0))).status == 401


async def test_what_is_not_signed_as_it_must_be_is_refused_and_nothing_is_told_apart(office: Office) -> None:
    secret = await office.hook()
    other = "whsec_" + "A" * 32
    refused = [
        await office.post(ARTICLE, other),
        await office.post(ARTICLE, secret, name="nobody"),
        await office.post(ARTICLE, secret, name="Nobody-"),
        await office.post(ARTICLE, secret, **{"webhook-id": "msg_2"}),
        await office.post(ARTICLE, secret, **{"webhook-id": "x" * 201}),
        await office.post(ARTICLE, secret, **{"webhook-signature": ""}),
        await office.post(ARTICLE, secret, **{"webhook-timestamp": "now"}),
    ]
    assert {(answer.status, answer.body) for answer in refused} == {(401, refused[0].body)}
    assert "WWW-Authenticate" in refused[0].headers
    assert (await office.log.page()).found == []


async def test_after_a_rotation_both_secrets_are_believed(office: Office) -> None:
    before = await office.hook()
    after = (await office.ask("operator", "POST", "/in/cms/rotate")).json["secret"]
    assert [(await office.post(article(), secret, id=secret[-9:])).status for secret in (before, after)] == [201, 201]
    again = (await office.ask("operator", "POST", "/in/cms/rotate")).json["secret"]
    answers = [(await office.post(article(), secret, id=secret[-8:])).status for secret in (before, after, again)]
    assert answers == [401, 201, 201]


async def test_no_rotation_time_means_the_old_secret_ends_at_once(redis: Redis, prefix: str) -> None:
    async with serving(redis, prefix, replace(SETTINGS, webhook_rotation_hours=0)) as office:
        before = await office.hook()
        await office.registry.rotate_hook("cms", by("operator"))
        assert (await office.post(ARTICLE, before)).status == 401


async def test_a_removed_hook_is_believed_no_more(office: Office) -> None:
    secret = await office.hook()
    assert (await office.ask("operator", "DELETE", "/in/cms")).status == 204
    assert (await office.post(ARTICLE, secret)).status == 401


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (article(title=""), {"title": "/data/title"}),
        (article(severity="loud"), {"severity": "/data/severity"}),
        (article(sites=["tinh"]), {"sites": "/data/sites/0"}),
        (article(section="a b"), {"audience": "/data/section/0"}),
        (article(url="javascript:alert(1)"), {"url": "/data/url"}),
        ({"type": "article.published"}, {"data": "/data"}),
        ({"data": {}}, {"type": "/type"}),
        ([], {"": ""}),
    ],
)
async def test_says_what_is_wrong_where_it_stood(office: Office, body: object, wrong: dict[str, str]) -> None:
    secret = await office.hook()
    answer = await office.post(body, secret)
    assert (answer.status, answer.wrong) == (422, wrong)


async def test_null_is_as_if_it_were_not_there(office: Office) -> None:
    secret = await office.hook("live", "demo", "tinh")
    answer = await office.post(article(body=None, url=None, severity=None, sites=None, section=None), secret)
    assert (answer.status, answer.json["sites"], answer.json["severity"]) == (201, ["demo", "tinh"], "notice")


async def test_other_types_are_passed_over(office: Office) -> None:
    secret = await office.hook()
    answer = await office.post({"type": "article.deleted", "data": {"id": 7}}, secret)
    assert (answer.status, answer.json["ignored"]) == (202, True)
    assert (await office.log.page()).found == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (msgspec.json.encode({"type": "x" * MAX_BODY_BYTES}), {}, 413),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
    ],
)
async def test_what_cannot_be_read_is_refused(
    office: Office, body: bytes, headers: dict[str, str], status: int
) -> None:
    secret = await office.hook()
    assert (await office.post(body, secret, **headers)).status == status


async def test_a_hook_that_announces_without_end_is_told_to_wait(redis: Redis, prefix: str) -> None:
    settings = replace(SETTINGS, publishes_per_second=0.01, publish_burst=2)
    async with serving(redis, prefix, settings) as office:
        secret = await office.hook("draft")
        answers = [await office.post(article(), secret, id=f"msg_{number}") for number in range(3)]
    assert [answer.status for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["Retry-After"]) > 60


async def test_what_it_did_is_in_the_trail_with_its_name_and_without_its_secret(
    office: Office, redis: Redis, prefix: str
) -> None:
    secret = await office.hook()
    await office.post(ARTICLE, secret)
    entries = [line.entry async for line in Trail(redis, prefix).lines()]
    assert [msgspec.json.decode(entry)["act"] for entry in entries] == ["hook.add", "publish"]
    did = msgspec.json.decode(entries[1])
    assert (did["owner"], did["role"], did["address"]) == ("webhook:cms", "editor", "192.0.2.9")
    assert not any(secret.removeprefix("whsec_").encode() in entry for entry in entries)
