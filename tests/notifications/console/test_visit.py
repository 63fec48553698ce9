from __future__ import annotations

import base64

import pytest

from notifications.console.visit import MAX_NOTICE, Notice, inner, packed, unpacked


@pytest.mark.parametrize("path", ["/console/people", "/console/trail?before=1-0", "/console/people/an"])
def test_a_page_of_ours_is_led_back_to(path: str) -> None:
    assert inner(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//evil.example/console/",
        "https://evil.example/console/",
        "/console//evil.example",
        "/console/\\evil.example",
        "/console/../api",
        "/console/\n",
        "/consolex",
        "/console/é",
        "/console/" + "x" * 600,
        "javascript:alert(1)",
    ],
)
def test_nothing_else_is(path: str) -> None:
    assert inner(path) == "/console/"


def test_a_notice_goes_by_cookie() -> None:
    notice = Notice("done", "Đã thêm; “xong”")
    assert unpacked(packed(notice)) == notice
    assert packed(notice).isascii()
    long = unpacked(packed(Notice("wrong", "x" * 2_000)))
    assert long is not None
    assert len(long.text) == MAX_NOTICE


@pytest.mark.parametrize(
    "cookie", ["", "x", "é", base64.b64encode(b"{}").decode(), base64.b64encode(b'{"kind":"evil","text":"x"}').decode()]
)
def test_what_is_no_notice_says_nothing(cookie: str) -> None:
    assert unpacked(cookie) is None
