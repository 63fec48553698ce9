from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import validation
from notifications.announcement import MAX_BODY, MAX_TITLE, Audience, Text
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


NOW_MS = 1_795_755_600_000  # 2026-11-27T05:00:00Z
TIMED = BOUNDS._replace(zones={"demo": "Asia/Ho_Chi_Minh", "tinh": "Europe/Berlin"}, now_ms=NOW_MS)


def test_takes_languages_and_an_audience() -> None:
    document = {
        **VALID,
        "language": "vi",
        "texts": {"en": {"title": " Flood ", "url": "https://a.vn/en"}},
        "audience": {"sections": ["thoi-su"], "paths": ["/tin/**"], "languages": ["vi", "en"], "visible": True},
        "test": True,
    }
    draft = validation.draft(document, BOUNDS)
    assert draft.texts == {"en": Text(title="Flood", url="https://a.vn/en")}
    assert draft.audience == Audience(sections=("thoi-su",), paths=("/tin/**",), languages=("vi", "en"), visible=True)
    assert (draft.language, draft.test) == ("vi", True)


def test_points_into_what_stands_inside() -> None:
    document = {
        **VALID,
        "language": "Vietnamese",
        "texts": {"en": {"body": "\u202e", "link": 1}, "english": {"title": "x"}, "fr": 5},
        "audience": {"sections": ["a b", 5], "paths": ["tin"], "languages": ["VI"], "visible": 1, "who": "all"},
        "test": "yes",
    }
    assert set(wrong(document)) == {
        "/language",
        "/texts/en/title",
        "/texts/en/body",
        "/texts/en/link",
        "/texts/english",
        "/texts/fr",
        "/audience/sections/0",
        "/audience/sections/1",
        "/audience/paths/0",
        "/audience/languages/0",
        "/audience/visible",
        "/audience/who",
        "/test",
    }
    assert set(wrong({**VALID, "texts": [], "audience": []})) == {"/texts", "/audience"}


def test_bounds_lists() -> None:
    many = {"sections": [f"s{number}" for number in range(51)], "paths": ["/" + "x" * 512]}
    assert set(wrong({**VALID, "audience": many})) == {"/audience/sections", "/audience/paths/0"}
    stars = {"paths": ["/" + "*a/" * 8, "/" + "**" * 300, "/" + "*a/" * 9, "/" + "*" * 511 + "?"]}
    assert set(wrong({**VALID, "audience": stars})) == {f"/audience/paths/{place}" for place in (1, 2, 3)}
    texts = {language: {"title": "x"} for language in ("aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii")}
    assert set(wrong({**VALID, "texts": texts})) == {"/texts"}


def test_refuses_a_start_that_has_passed() -> None:
    """But not one that passed while the request was on its way."""
    late = {**VALID, "status": "scheduled", "starts_at": "2026-11-27T04:58:59Z"}
    with pytest.raises(Invalid, match="has passed"):
        validation.new(late, TIMED)
    with pytest.raises(Invalid, match="has passed"):
        validation.schedule({"starts_at": "2020-11-27T04:58:59Z"}, TIMED, ("demo",))
    assert validation.new({**late, "starts_at": "2026-11-27T04:59:30Z"}, TIMED).then == "scheduled"
    assert validation.schedule({"starts_at": "2026-11-27T04:59:30Z"}, TIMED, ("demo",))[0] == NOW_MS - 30_000


def test_says_what_is_wrong_with_the_whole_in_a_sentence() -> None:
    with pytest.raises(Invalid) as refused:
        validation.draft([], BOUNDS)
    assert str(refused.value) == "must be a JSON object"


def test_what_it_begins_as_goes_with_its_start() -> None:
    at = {"starts_at": "2026-11-28T08:00"}
    new = validation.new({**VALID, **at, "status": "scheduled"}, TIMED)
    assert (new.then, new.draft.starts_ms) == ("scheduled", NOW_MS + 20 * 3_600_000)
    assert validation.new({**VALID, **at, "status": "draft"}, TIMED).draft.starts_ms
    assert set(wrong({**VALID, **at})) == {"/starts_at"}
    assert set(wrong({**VALID, "status": "scheduled"})) == {"/starts_at"}
    assert set(wrong({**VALID, "status": "approved"})) == {"/status"}


@pytest.mark.parametrize(
    "times",
    [
        {"expires_at": "2026-11-27T12:00"},
        {"expires_at": "2026-11-27T05:00:05Z"},
        {"expires_at": "2027-01-27T05:00:00Z"},
        {"expires_at": "2026-11-27T15:00", "expires_in": 60},
        {"expires_at": 5},
        {"expires_at": "soon"},
        {"expires_at": "2026-11-28T07:00", "starts_at": "2026-11-28T08:00", "status": "scheduled"},
    ],
)
def test_refuses_an_end_that_cannot_be(times: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        validation.new({**VALID, **times}, TIMED)
    assert {found.pointer for found in refused.value.wrong} == {"/expires_at"}


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_start_that_says_nothing_is_none(nothing: str | None) -> None:
    """As of a CMS that sends all members always."""
    with pytest.raises(Invalid) as refused:
        validation.new({**VALID, "status": "scheduled", "starts_at": nothing}, TIMED)
    assert {found.pointer for found in refused.value.wrong} == {"/starts_at"}
    assert validation.new({**VALID, "status": "live", "starts_at": nothing}, TIMED).then == "live"


def test_takes_an_end_by_the_clock_of_the_sites() -> None:
    assert validation.draft({**VALID, "expires_at": "2026-11-27T13:00"}, TIMED).ends_ms == NOW_MS + 3_600_000
    with pytest.raises(Invalid, match="offset"):
        validation.draft({**VALID, "sites": ["demo", "tinh"], "expires_at": "2026-11-27T13:00"}, TIMED)
    change = validation.update({"expires_at": "2026-11-27T13:00"}, TIMED, ("demo",)).change
    assert change.ends_ms == NOW_MS + 3_600_000


def test_a_schedule_takes_a_start() -> None:
    assert validation.schedule({"starts_at": "2026-11-27T06:00:00Z", "revision": 2}, TIMED, ()) == (
        NOW_MS + 3_600_000,
        2,
    )
    for document in ({}, {"starts_at": "x"}, {"starts_at": "2029-11-27T06:00:00Z"}):
        with pytest.raises(Invalid):
            validation.schedule(document, TIMED, ())


def test_a_reason_can_be_asked_for() -> None:
    assert validation.recall({"reason": "nhầm"}, why=True).reason == "nhầm"
    for document in ({}, {"reason": " "}):
        with pytest.raises(Invalid):
            validation.recall(document, why=True)


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
