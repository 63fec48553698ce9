"""Whose request it is, by token and by cookie."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from redis.asyncio import Redis

from gateway.problems import Problem
from notifications.admission import Admission
from notifications.people.cookies import SESSION
from notifications.people.known import Known, known
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from tests.notifications.people.conftest import CHEAP, added
from tests.notifications.people.test_register import ADMIN

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "https://loa.example.vn"}


@pytest.fixture
async def people(redis: Redis, prefix: str) -> AsyncIterator[Known]:
    known_people = known(redis, prefix, NotificationsSettings(), cost=CHEAP)
    yield known_people
    known_people.hasher.close()


@pytest.fixture
def admission(redis: Redis, prefix: str, people: Known) -> Admission:
    settings = NotificationsSettings(publishes_per_second=0.001, publish_burst=2)
    return Admission(
        Tokens(redis, prefix),
        settings,
        lambda _: "192.0.2.1",
        lambda _: "192.0.2.1",
        sessions=people.sessions,
        crossing=people.crossing,
    )


async def cookie(people: Known) -> dict[str, str]:
    user = await added(people, role="approver", site="demo")
    token = await people.sessions.begin(user, address="", browser="")
    return {"Cookie": f"{SESSION}={token}"}


def request(headers: dict[str, str], method: str = "GET") -> web.Request:
    return make_mocked_request(method, "/api/v1/announcements", headers={"Host": "loa.example.vn", **headers})


async def status(admission: Admission, headers: dict[str, str], method: str = "GET") -> int:
    with pytest.raises(Problem) as refused:
        await admission.principal(request(headers, method))
    return refused.value.status


async def test_by_token(admission: Admission, redis: Redis, prefix: str) -> None:
    new = await Tokens(redis, prefix).create("CMS", "viewer", sites=["demo"])
    by = await admission.principal(request({"Authorization": f"Bearer {new.text}"}, "POST"))
    assert (by.owner, by.name, by.roles, by.address) == (new.token.id, "CMS", {"demo": "viewer"}, "192.0.2.1")


async def test_by_cookie(admission: Admission, people: Known) -> None:
    sent = await cookie(people)
    by = await admission.principal(request(sent))
    assert (by.owner, by.name, by.roles) == ("user:an", "Nguyễn an", {"demo": "approver"})
    assert await admission.principal(request({**sent, **OURS}, "POST")) == by


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(
    admission: Admission, people: Known, redis: Redis, prefix: str
) -> None:
    sent = await cookie(people)
    (key,) = [name async for name in redis.scan_iter(match=f"{prefix}:*:session:*")]
    await redis.hincrby(key, "seen_ms", -120_000)
    await redis.pexpire(key, 1_000_000)
    await admission.principal(request({**sent, "X-Loa-Unattended": "1"}))
    assert await redis.pttl(key) <= 1_000_000
    await admission.principal(request(sent))
    assert await redis.pttl(key) > 3_000_000


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_a_cookie_that_another_sites_page_made_a_browser_send_is_refused(
    admission: Admission, people: Known, headers: dict[str, str]
) -> None:
    assert await status(admission, {**await cookie(people), **headers}, "POST") == 403


async def test_a_token_needs_to_come_from_nowhere(admission: Admission, redis: Redis, prefix: str) -> None:
    text = (await Tokens(redis, prefix).create("CMS")).text
    headers = {"Authorization": f"Bearer {text}", "Origin": "https://cms.example"}
    assert await admission.principal(request(headers, "POST"))


async def test_a_wrong_token_is_not_made_good_by_a_cookie(admission: Admission, people: Known) -> None:
    assert await status(admission, {**await cookie(people), "Authorization": "Bearer loa_x"}) == 401


async def test_who_is_out_is_out_at_once(admission: Admission, people: Known) -> None:
    sent = await cookie(people)
    await people.register.change("an", ADMIN, disabled=True)
    assert await status(admission, sent) == 401
    assert await status(admission, {"Cookie": f"{SESSION}=x"}) == 401
    assert await status(admission, {}) == 401


async def test_a_user_has_a_budget_whatever_the_session(admission: Admission, people: Known) -> None:
    sent = await cookie(people)
    for _ in range(2):
        await admission.acting(request({**sent, **OURS}, "POST"))
    user = await people.register.find("an")
    assert user is not None
    other = {"Cookie": f"{SESSION}={await people.sessions.begin(user, address='', browser='')}"}
    with pytest.raises(Problem, match="You publish faster"):
        await admission.acting(request({**other, **OURS}, "POST"))


async def test_where_only_tokens_are_taken_a_cookie_is_nothing(redis: Redis, prefix: str, people: Known) -> None:
    alone = Admission(Tokens(redis, prefix), NotificationsSettings(), lambda _: "", lambda _: "")
    assert await status(alone, await cookie(people)) == 401


async def test_who_may_see_one_site_is_no_reader_of_another(admission: Admission, people: Known) -> None:
    sent = request(await cookie(people))
    assert (await admission.reader(sent, ["demo"])).roles == {"demo": "approver"}
    with pytest.raises(Problem) as refused:
        await admission.reader(sent, ["tinh"])
    assert refused.value.status == 403
