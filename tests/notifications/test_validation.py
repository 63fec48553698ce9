from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import validation
from notifications.announcement import MAX_BODY, MAX_TITLE
from notifications.errors import Invalid, WrongField
from notifications.links import fault

UNSEEN = (
    *"\u00ad\u034f\u115f\u1160\u17b4\u180e\u200b\u200d\u2060\u2064\u2800\u3000\u3164\ufe0f\ufeff\uffa0\U0001d173\U000e0100",
    "\u200b\u2060",
)
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
BOUNDS = validation.Bounds({"demo": None, "tinh": None}.keys(), 3600, 30 * 86_400)
VALID: dict[str, object] = {"sites": ["demo"], "severity": "breaking", "title": "Lũ lên nhanh"}


def wrong(document: object) -> dict[str, str]:
    """Pointer → detail of everything that is wrong with `document`."""
    with pytest.raises(Invalid) as refused:
        validation.draft(document, BOUNDS)
    return {pointer: detail for _, pointer, detail in refused.value.wrong}


def test_takes_the_least() -> None:
    draft = validation.draft(VALID, BOUNDS)
    assert draft.sites == ("demo",)
    assert (draft.body, draft.url, draft.expires_in) == ("", "", 3600)


def test_names_every_wrong_field_at_once() -> None:
    document = {
        "sites": ["demo", "nowhere", "demo", 5],
        "severity": "loud",
        "title": "  ",
        "body": "x" * (MAX_BODY + 1),
        "url": "javascript:alert(1)",
        "expires_in": 9,
        "colour": "red",
    }
    assert set(wrong(document)) == {
        "/sites/1",
        "/sites/2",
        "/sites/3",
        "/severity",
        "/title",
        "/body",
        "/url",
        "/expires_in",
        "/colour",
    }


def test_names_what_is_missing() -> None:
    assert wrong({}) == dict.fromkeys(("/sites", "/severity", "/title"), "is missing")


@pytest.mark.parametrize("document", [None, 5, "text", [VALID]])
def test_takes_objects_only(document: object) -> None:
    assert wrong(document) == {"": "must be a JSON object"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sites", []),
        ("sites", "demo"),
        ("sites", {"demo": 1}),
        ("severity", 1),
        ("severity", ""),
        ("severity", ["breaking"]),
        ("title", None),
        ("title", 7),
        ("title", ""),
        *[("title", unseen) for unseen in UNSEEN],
        ("title", " ".join(UNSEEN)),
        ("title", "two\nlines"),
        ("title", "a\tb"),
        ("title", "bell\x07"),
        ("title", "next line\x85"),
        ("title", "half \ud800"),
        ("title", "turned \u202egnp.exe"),
        ("title", "isolated \u2067x\u2069"),
        ("title", "mark \u200f"),
        ("title", "mark \u061c"),
        ("title", "swapping \u206b"),
        ("title", "annotated \ufff9with\ufffasomething\ufffb"),
        ("title", "tagged \U000e0068\U000e0069"),
        (
            "title",
            "a flag that goes on \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\U000e0061",
        ),
        ("title", "a flag without an end \U0001f3f4\U000e0067\U000e0062\U000e0065"),
        ("body", "annotated \ufff9"),
        ("title", "x" * (MAX_TITLE + 1)),
        ("body", "a\x00b"),
        ("body", "turned \u202e"),
        ("expires_in", True),
        ("expires_in", 60.0),
        ("expires_in", "60"),
        ("expires_in", -1),
        ("expires_in", 30 * 86_400 + 1),
    ],
)
def test_refuses_with_the_name_of_the_field(field: str, value: object) -> None:
    (pointer,) = {pointer.split("/")[1] for pointer in wrong({**VALID, field: value})}
    assert pointer == field


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "ftp://example.vn/",
        "//example.vn/tin",
        "/tin",
        "tin",
        "https:example.vn",
        "https:/example.vn",
        "https:///example.vn",
        "https://",
        "https://user@example.vn",
        "https://user:word@example.vn/",
        "https://@example.vn/",
        "https://example.vn\\@evil.example/",
        "https://exam ple.vn/",
        "https://example.vn/a b",
        "https://example.vn/\ttin",
        "https://example.vn/\u202etin",
        "https://example.vn/\u2066tin",
        "https://example.vn/\x00",
        "https://example.vn:99999/",
        "https://example.vn:/",
        "https://example.vn:x/",
        "https://[::1/",
        "https://exa<b>mple.vn/",
        "https://%6aavascript/",
        "https://example.vn/\ud800",
        "https://" + "a" * 2048 + ".vn/",
        *[
            f"https://bao{unseen}chi.vn/tin"
            for unseen in "\u00ad\u034f\u200b\u200d\u2060\u3164\ufe0f\ufeff\U000e0061\U000e0100"
        ],
        "https://example.vn/\u200btin",
        "https://example.vn/#\u2064",
    ],
)
def test_refuses_links_that_are_not_what_they_seem(link: str) -> None:
    assert fault(link)
    assert set(wrong({**VALID, "url": link})) == {"/url"}


@pytest.mark.parametrize(
    "link",
    [
        "https://example.vn",
        "http://localhost:8080/demo/",
        "HTTPS://Example.VN/tin?a=b&c=%20#muc",
        "https://báo.vn/tin-tức",
        "https://intranet/tin",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:8443/x",
        "https://example.vn/@chinhquyen/bai",
    ],
)
def test_takes_ordinary_links(link: str) -> None:
    assert fault(link) == ""
    assert validation.draft({**VALID, "url": link}, BOUNDS).url == link


def test_measures_what_a_reader_sees_as_one_character() -> None:
    decomposed = unicodedata.normalize("NFD", "ễ") * MAX_TITLE
    draft = validation.draft({**VALID, "title": decomposed}, BOUNDS)
    assert draft.title == "ễ" * MAX_TITLE


@pytest.mark.parametrize(
    "title",
    [
        "\U0001fae8",  # unknown to Python 3.11, an emoji since
        "\u2764\ufe0f",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ENGLAND,
        "\U0001f1fb\U0001f1f3",
        "\u2800x",
        "한국어",
    ],
)
def test_takes_what_can_be_seen(title: str) -> None:
    assert validation.draft({**VALID, "title": title, "body": title}, BOUNDS).title == title


def test_body_keeps_its_lines() -> None:
    draft = validation.draft({**VALID, "body": "\r\nmột\r\nhai\n\n"}, BOUNDS)
    assert draft.body == "một\nhai"


def test_an_unknown_name_cannot_smuggle_half_a_surrogate_into_the_answer() -> None:
    with pytest.raises(Invalid) as refused:
        validation.draft({**VALID, "\ud800/~": 1}, BOUNDS)
    (found,) = refused.value.wrong
    assert found.pointer == "/\\ud800~1~0"
    str(found).encode()


def test_change_needs_something_to_change() -> None:
    with pytest.raises(Invalid):
        validation.update({"revision": 1}, BOUNDS)
    assert validation.update({"show_again": True}, BOUNDS).change.show_again
    assert validation.update({"body": "", "revision": 3}, BOUNDS).revision == 3


def test_the_sites_of_what_is_published_stay() -> None:
    with pytest.raises(Invalid) as refused:
        validation.update({"sites": ["tinh"], "title": "x"}, BOUNDS)
    assert [wrong.field for wrong in refused.value.wrong] == ["sites"]


def test_recall_needs_nothing() -> None:
    assert validation.recall({}) == validation.Recall("", None)
    assert validation.recall({"reason": " nhầm "}).reason == "nhầm"
    with pytest.raises(Invalid):
        validation.recall({"why": "x", "revision": 0})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(validation.DRAFT_FIELDS) | st.text(max_size=5), anything))
def test_any_document_is_taken_or_refused_with_names(document: dict[str, object]) -> None:
    try:
        validation.draft(document, BOUNDS)
    except Invalid as refused:
        assert refused.wrong
        for found in refused.wrong:
            assert isinstance(found, WrongField)
            assert found.detail
            repr(found).encode()


@given(st.text(), st.text())
def test_what_is_taken_is_taken_again_unchanged(title: str, body: str) -> None:
    """What is stored passes its own validation, so a browser that checks again agrees."""
    try:
        once = validation.draft({**VALID, "title": title, "body": body}, BOUNDS)
    except Invalid:
        return
    again = validation.draft({**VALID, "title": once.title, "body": once.body}, BOUNDS)
    assert again == once
    assert 1 <= len(once.title) <= MAX_TITLE
    assert len(once.body) <= MAX_BODY
