from __future__ import annotations

import pytest

from operations.doctor.policy import Page, Tag, missing, needs, origin, policies, read

LOA = "https://loa.example.vn"
PAGE = "https://portal.example.vn/tin"
TAG = Tag(f"{LOA}/widget.js", "demo", "", "")
NOTHING = Page([], [], [], [], [])


def lacking(*headers: str, tag: Tag = TAG, page: str = PAGE, seen: Page = NOTHING) -> list[str]:
    """The directives that forbid, each with the source to add."""
    found = missing(policies(headers, []), page, needs(tag.src, seen), tag)
    return [f"{need.directive} {need.source}" for need in found]


ALL = [f"script-src {LOA}", "connect-src wss://loa.example.vn", f"connect-src {LOA}"]


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("", []),
        ("img-src 'none'", []),
        ("default-src 'self'", ALL),
        ("default-src 'none'; script-src https://loa.example.vn; connect-src https://loa.example.vn", ALL[1:2]),
        ("default-src *", []),
        ("default-src https:", ALL[1:2]),
        ("default-src https: wss:", []),
        ("default-src https://*.example.vn", ALL[1:2]),
        ("default-src https://*.example.vn wss://*.example.vn", []),
        ("default-src https://*.vn; script-src 'self'", ALL[:2]),
        ("script-src 'self'; script-src-elem https://loa.example.vn; connect-src *", []),
        ("script-src loa.example.vn; connect-src loa.example.vn", ALL[1:2]),
        ("script-src http://loa.example.vn; connect-src ws://loa.example.vn", ALL[2:]),
        ("script-src https://loa.example.vn:8443; connect-src *", ALL[:1]),
        ("script-src https://loa.example.vn:*; connect-src wss://loa.example.vn", ALL[2:]),
        ("script-src https://loa.example.vn/widget.js; connect-src *", []),
        ("script-src https://loa.example.vn/js/; connect-src *", ALL[:1]),
        ("script-src https://loa.example.vn.evil.example; connect-src *", ALL[:1]),
        ("script-src 'strict-dynamic' https://loa.example.vn; connect-src *", ALL[:1]),
        # The first of a name counts, and names are read in any case.
        ("SCRIPT-SRC *; script-src 'none'; connect-src *", []),
    ],
)  # fmt: skip
def test_what_a_policy_forbids_is_named(policy: str, wanted: list[str]) -> None:
    assert lacking(policy) == wanted


def test_every_policy_of_a_page_must_allow() -> None:
    assert lacking("default-src *", "script-src 'self'") == ALL[:1]
    assert lacking("default-src *, script-src 'self'") == ALL[:1]


def test_a_nonce_or_a_hash_of_the_tag_is_enough() -> None:
    policy = "script-src 'nonce-abc' 'sha384-xyz' 'strict-dynamic'; connect-src *"
    assert lacking(policy, tag=TAG._replace(nonce="abc")) == []
    assert lacking(policy, tag=TAG._replace(integrity="sha384-xyz")) == []
    assert lacking(policy, tag=TAG._replace(nonce="other")) == ALL[:1]


def test_self_is_the_page_s_own_origin() -> None:
    assert lacking("default-src 'self'", page=f"{LOA}/tin") == []
    assert lacking("default-src 'self'", page="https://loa.example.vn:443/tin") == []


def test_badges_and_frames_need_their_own() -> None:
    page = Page([], [], [], [f"{LOA}/badge/demo.svg"], [f"{LOA}/embed/demo"])
    assert lacking("default-src *; img-src 'self'; frame-src 'self'", seen=page) == [
        f"img-src {LOA}",
        f"frame-src {LOA}",
    ]
    assert lacking("default-src *; child-src 'self'", seen=page) == [f"frame-src {LOA}"]


def test_a_page_is_read() -> None:
    page = read(
        """<!doctype html><META HTTP-EQUIV="content-security-policy" content="default-src 'self'">
        <script src="/other.js"></script><script async data-site=demo nonce=n src="//loa.example.vn/widget.js"></script>
        <loa-counter scope="page"></loa-counter><img src="https://loa.example.vn/badge/demo.svg"><iframe src="x">
        <script>var s = '<script data-site="no" src="no">';</script>""",
        PAGE,
    )
    assert page.tags == [Tag(f"{LOA}/widget.js", "demo", "n", "")]
    assert page.elements == ["loa-counter"]
    assert page.policies == ["default-src 'self'"]
    assert page.pictures == [f"{LOA}/badge/demo.svg"]
    assert page.frames == []


@pytest.mark.parametrize("text", ["", "<", "<script data-site src='http://[::1'>", "<a" * 50_000, "\0" * 1000])
def test_any_text_is_read(text: str) -> None:
    read(text, PAGE)


@pytest.mark.parametrize("address", ["http://[", "//[::1", "http://a:99999/widget.js"])
def test_an_address_that_is_none_has_no_origin(address: str) -> None:
    """A page of others must not end the doctor."""
    assert origin(address) == "://"
