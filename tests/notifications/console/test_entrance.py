from __future__ import annotations

import asyncio
import html
import re

import pytest
from redis.asyncio import Redis

from notifications.people.cookies import DEVICE, LANGUAGE, SESSION
from notifications.people.lockout import PAIR_FREE
from tests.notifications.console.visitor import House
from tests.notifications.people.conftest import PASSWORD, added
from tests.notifications.people.test_register import ADMIN


async def test_signs_in_and_out(house: House) -> None:
    await added(house.people, role="admin")
    visitor = house.visitor()
    assert (await visitor.get("/console/")).location == "/console/sign-in"
    entered = await visitor.sign_in("an")
    assert (entered.status, entered.location) == (303, "/console/sign-in?entered=1&next=/console/")
    assert (await visitor.get(entered.location)).location == "/console/"
    assert (await visitor.get("/console/")).location == "/console/people"
    assert (await visitor.get("/console/people")).heading == "Người dùng"
    left = await visitor.send("/console/sign-out")
    assert left.location == "/console/sign-in"
    assert SESSION not in visitor.cookies
    assert "Bạn đã đăng xuất." in (await visitor.get("/console/sign-in")).text
    # Said once.
    assert "Bạn đã đăng xuất." not in (await visitor.get("/console/sign-in")).text
    assert (await visitor.get("/console/people")).status == 303


async def test_after_sign_in_one_is_where_one_wanted_to_be(house: House) -> None:
    await added(house.people, role="admin")
    visitor = house.visitor()
    asked = await visitor.get("/console/trail?before=1-0")
    assert asked.location == "/console/sign-in?next=/console/trail?before%3D1-0"
    assert 'name="next" value="/console/trail?before=1-0"' in (await visitor.get(asked.location)).text
    fields = {"name": "an", "password": PASSWORD, "next": "/console/trail?before=1-0"}
    entered = await visitor.send("/console/sign-in", fields)
    assert (await visitor.get(entered.location)).location == "/console/trail?before=1-0"
    # Who is in already is led on.
    assert (await visitor.get(asked.location)).location == "/console/trail?before=1-0"
    fields["next"] = "https://evil.example/"
    other = house.visitor()
    entered = await other.send("/console/sign-in", fields)
    assert (await other.get(entered.location)).location == "/console/"


async def test_a_browser_that_keeps_no_cookie_is_told_so_instead_of_asked_again(house: House) -> None:
    await added(house.people)
    visitor = house.visitor()
    fields = {"name": "an", "password": PASSWORD, "next": "/console/trail?before=1-0"}
    entered = await visitor.send("/console/sign-in", fields)
    visitor.cookies.clear()
    told = await visitor.get(entered.location)
    assert (told.status, told.heading) == (403, "Trình duyệt không giữ đăng nhập")
    assert 'name="password"' not in told.text
    (again,) = re.findall(r'<a class="button" href="([^"]*)"', told.text)
    assert 'name="next" value="/console/trail?before=1-0"' in (await visitor.get(html.unescape(again))).text


async def test_who_signs_in_as_another_leaves_no_session_behind(house: House) -> None:
    first = await added(house.people)
    await added(house.people, "binh")
    visitor = await house.inside("an")
    await visitor.sign_in("binh")
    assert await house.people.sessions.list(first) == []
    assert "Nguyễn binh" in (await visitor.get("/console/account")).text


async def test_the_cookies_are_kept_from_scripts_other_hosts_and_plain_http(house: House) -> None:
    await added(house.people)
    entered = await house.visitor().sign_in("an")
    for name in (SESSION, DEVICE):
        morsel = entered.cookies[name]
        assert name.startswith("__Host-")
        assert (morsel["secure"], morsel["httponly"], morsel["path"], morsel["domain"]) == (True, True, "/", "")
        assert morsel["samesite"] == "Lax"


async def test_a_page_is_kept_by_nobody_and_runs_nothing_of_others(house: House) -> None:
    page = await house.visitor().get("/console/sign-in")
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in policy
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "style=" not in page.text
    assert "<style" not in page.text


@pytest.mark.parametrize(("name", "password"), [("an", "sai"), ("nobody", PASSWORD), ("<b>an</b>", PASSWORD)])
async def test_a_wrong_password_is_said_beside_the_field(house: House, name: str, password: str) -> None:
    await added(house.people)
    visitor = house.visitor()
    page = await visitor.sign_in(name, password)
    assert page.status == 403
    assert 'id="password-error"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert page.text.count("Tên đăng nhập hoặc mật khẩu không đúng.") == 2
    assert "Lỗi: Đăng nhập" in page.text
    assert password not in page.text
    assert SESSION not in visitor.cookies


@pytest.mark.usefixtures("long_waits")
async def test_too_many_are_told_how_long_to_wait(house: House) -> None:
    await added(house.people)
    visitor = house.visitor()
    for _ in range(PAIR_FREE):
        assert (await visitor.sign_in("an", "sai")).status == 403
    page = await visitor.sign_in("an")
    assert page.status == 429
    assert int(page.headers["Retry-After"]) >= 1
    assert "Hãy chờ" in page.text


async def test_without_users_it_tells_how_to_make_one(house: House) -> None:
    assert "loa user add" in (await house.visitor().get("/console/sign-in")).text
    await added(house.people)
    assert "loa user add" not in (await house.visitor().get("/console/sign-in")).text


async def test_on_plain_http_elsewhere_there_is_no_form_to_type_a_password_into(house: House) -> None:
    await added(house.people)
    visitor = house.visitor()
    page = await visitor.get("/console/sign-in", Host="loa.example.vn")
    assert page.status == 403
    assert "https://" in page.text
    assert "password" not in page.text
    sent = {"name": "an", "password": PASSWORD}
    refused = await visitor.send(
        "/console/sign-in", sent, Host="loa.example.vn", Sec_Fetch_Site="", Origin="http://loa.example.vn"
    )
    assert refused.status == 403
    assert not visitor.cookies
    # A browser that reached us by HTTPS, through a proxy, says where it comes from.
    assert (await visitor.get("/console/sign-in", Host="loa.example.vn", Sec_Fetch_Site="none")).status == 200


@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": ""}, {"Origin": "https://evil.example"}]
)
@pytest.mark.parametrize("path", ["/console/sign-in", "/console/sign-out", "/console/language", "/console/people/add"])
async def test_nothing_is_obeyed_that_another_sites_page_sends(
    house: House, path: str, headers: dict[str, str]
) -> None:
    await added(house.people, role="admin")
    inside = await house.inside("an")
    before = dict(inside.cookies)
    fields = {"name": "evil", "password": PASSWORD, "full_name": "x", "role:*": "admin", "language": "en"}
    assert (await inside.send(path, fields, **headers)).status == 403
    assert inside.cookies == before
    assert [user.name for user in await house.people.register.list()] == ["an"]


async def test_speaks_what_the_browser_asks_for_then_what_is_chosen(house: House) -> None:
    await added(house.people)
    visitor = house.visitor()
    assert (await visitor.get("/console/sign-in", Accept_Language="en-GB")).heading == "Sign in"
    assert (await visitor.get("/console/sign-in")).heading == "Đăng nhập"
    chosen = await visitor.send("/console/language", {"language": "en", "back": "/console/sign-in"})
    assert (chosen.location, visitor.cookies[LANGUAGE]) == ("/console/sign-in", "en")
    page = await visitor.get("/console/sign-in", Accept_Language="vi")
    assert (page.heading, page.headers["Content-Language"]) == ("Sign in", "en")
    assert '<html lang="en">' in page.text
    assert (await visitor.send("/console/language", {"language": "xx"})).status == 400
    # Signed in, what the user has chosen holds, on every device.
    inside = await house.inside("an")
    assert (await inside.get("/console/account")).heading == "Tài khoản của tôi"
    await inside.send("/console/language", {"language": "en", "back": "/console/account"})
    other = await house.inside("an")
    assert (await other.get("/console/account")).heading == "My account"


async def test_an_open_page_learns_what_became_of_its_rights(house: House) -> None:
    await added(house.people, role="admin")
    inside = await house.inside("an")
    page = (await inside.get("/console/account")).text
    mark = page.partition('data-watch="')[2].partition('"')[0]

    async def state() -> str:
        return (await inside.get(f"/console/session?as={mark}")).text

    assert await state() == '{"state": "same"}'
    await house.people.register.change("an", ADMIN, roles={"demo": "viewer"}, last_admin_too=True)
    assert await state() == '{"state": "changed"}'
    assert (await inside.get("/console/people")).status == 403
    await house.people.register.change("an", ADMIN, disabled=True)
    assert await state() == '{"state": "over"}'


async def test_asking_whether_it_still_may_keeps_no_session_alive(house: House, redis: Redis, prefix: str) -> None:
    await added(house.people)
    inside = await house.inside("an")
    (key,) = [name async for name in redis.scan_iter(match=f"{prefix}:*:session:*")]
    await redis.hincrby(key, "seen_ms", -120_000)
    await redis.pexpire(key, 1_000_000)
    await inside.get("/console/session?as=x")
    assert await redis.pttl(key) <= 1_000_000
    # Somebody has typed on the page: what they write is not lost to an hour's end.
    await inside.get("/console/session?as=x&attended=1")
    assert await redis.pttl(key) > 3_000_000
    await redis.hincrby(key, "seen_ms", -120_000)
    await redis.pexpire(key, 1_000_000)
    await inside.get("/console/account")
    assert await redis.pttl(key) > 3_000_000


async def test_what_is_not_there_is_a_page_too(house: House) -> None:
    await added(house.people)
    assert (await house.visitor().get("/console")).location == "/console/"
    assert (await house.visitor().get("/console/nowhere")).status == 303
    page = await (await house.inside("an")).get("/console/nowhere")
    assert (page.status, page.heading) == (404, "Không tìm thấy")
    assert (await house.visitor().get("/console/static/nothing.css")).status == 404
    style = await house.visitor().get("/console/static/console.css?v=x")
    assert (style.status, style.headers["Cache-Control"]) == (200, "no-cache")


async def test_with_the_store_away_a_page_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await added(house.people)
    inside = await house.inside("an")

    async def away(*_: object, **__: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(house.people.sessions, "_look_up", away)
    page = await inside.get("/console/account")
    assert (page.status, page.headers["Retry-After"]) == (503, "2")
    assert "Kho dữ liệu không trả lời" in page.text


@pytest.mark.parametrize(
    ("line", "header", "status"),
    [
        ("POST /console/sign-in", b"Cookie: __Host-loa-device=" + b"\xff" * 64, 403),
        ("GET /console/account", b"Cookie: __Host-loa-session=" + b"\xff" * 64, 303),
        ("GET /console/sign-in", b"Cookie: __Host-loa-language=\xff", 200),
    ],
)
async def test_bytes_that_are_no_text_are_no_cookie(house: House, line: str, header: bytes, status: int) -> None:
    """By a plain socket: no client sends them."""
    await added(house.people)
    body = b"name=an&password=sai"
    head = f"{line} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n".encode()
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(head + form + header + b"\r\n\r\n" + body)
    assert (await reader.readline()).split()[1] == b"%d" % status
    writer.close()
