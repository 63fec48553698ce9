"""Robots are known by what they call themselves, at the price of one look per browser."""

from __future__ import annotations

import pytest

from gateway import robots
from gateway.handshake import check
from gateway.robots import Robots

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; coccocbot-web/1.0; +http://help.coccoc.com/searchengine)",
        CHROME.replace("Chrome", "HeadlessChrome"),
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "curl/8.14.1",
    ],
)
def test_a_robot_is_known(user_agent: str) -> None:
    assert Robots().knows(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        CHROME,
        CHROME.replace("Chrome", "coc_coc_browser/125.0 Chrome"),
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0]",
        "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Version/4.0 Chrome/120.0 Mobile Zalo android/24",
        "Amazon CloudFront",
    ],
)
def test_a_reader_is_none(user_agent: str) -> None:
    assert not Robots().knows(user_agent)


def test_the_list_is_asked_once_for_a_user_agent_and_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def is_crawler(user_agent: str) -> bool:
        asked.append(user_agent)
        return False

    monkeypatch.setattr(robots, "is_crawler", is_crawler)
    known = Robots(remembered=2)
    asked.clear()
    for name in ("one", "two", "one", "three", "two", "one"):
        known.knows(name)
    assert asked == ["one", "two", "three", "one"]
    assert len(known) == 2
    assert all(type(key) is int for key in known._known)


def test_only_the_beginning_is_looked_at() -> None:
    """So that a long one does not cost more than a browser's."""
    assert not Robots().knows("x" * 300 + "Googlebot/2.1")


@pytest.mark.parametrize(
    ("query", "user_agent", "apart"),
    [
        ("", CHROME, ""),
        ("apart=hidden", CHROME, "hidden"),
        ("apart=prerender", CHROME, "prerender"),
        ("apart=robot", CHROME, "robot"),
        ("apart=nonsense", CHROME, ""),
        ("", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "robot"),
        ("apart=hidden", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "robot"),
    ],
)
def test_the_handshake_says_why_it_is_no_reader(query: str, user_agent: str, apart: str) -> None:
    headers = [
        (b"Host", b"loa.example.vn"),
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        (b"User-Agent", user_agent.encode()),
    ]
    assert check(b"GET", "1.1", query.encode(), headers, 64).apart == apart
