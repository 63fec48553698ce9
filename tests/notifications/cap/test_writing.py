from __future__ import annotations

import unicodedata
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from notifications.announcement import (
    MAX_BODY,
    MAX_TITLE,
    SEVERITIES,
    Announcement,
    Audience,
    Cap,
    Text,
)
from notifications.cap import making, message, schema, writing
from notifications.cap.making import Bounds
from notifications.cap.message import Message
from notifications.cap.urgency import BACK, Words, ours
from notifications.cap.values import Identity, written
from notifications.cap.writing import Told, identity, told
from notifications.characters import forbidden, visible
from notifications.syndication import ATOM, Channel
from tests.notifications.making import NOW_MS, announcement

CHANNEL = Channel("Cổng thông tin", "vi", "https://loa.example.vn", "https://loa.example.vn/feeds/demo.cap", "demo")
SENDER = "loa@loa.example.vn"
BOUNDS = Bounds(3600, 30 * 86_400)


def said(one: Told | Announcement, channel: Channel = CHANNEL) -> Message:
    """What the message says that is written of `one`; it has to pass our own rules."""
    return message.read(writing.message(one if isinstance(one, Told) else Told(one), channel, SENDER))


def test_the_first_is_an_alert() -> None:
    one = announcement(title="Lũ", body="Lên cao.", url="https://a.vn/lu", severity="emergency")
    read = said(one)
    assert read.identity == Identity(SENDER, "loa.demo.a", written(NOW_MS))
    assert (read.kind, read.status, read.scope, read.references, read.source) == ("Alert", "Actual", "Public", "", "")
    (info,) = read.infos
    assert (info.language, info.headline, info.description, info.web) == ("vi", "Lũ", "Lên cao.", "https://a.vn/lu")
    assert (info.event, info.categories, info.areas) == ("Khẩn cấp", ("Other",), ())
    assert Words(info.urgency, info.severity, info.certainty) == BACK["emergency"]
    assert info.expires_ms == one.expires_ms


def test_a_test_is_one() -> None:
    assert said(announcement(test=True)).status == "Test"


def test_later_ones_name_all_that_came_before() -> None:
    first = announcement(revision=4)
    second = replace(first, revision=5, updated_ms=NOW_MS + 2_000)
    third = replace(first, revision=7, updated_ms=NOW_MS + 9_000)
    gone = replace(first, revision=8, updated_ms=NOW_MS + 11_000, status="recalled")
    history = [replace(first, revision=3, status="waiting"), first, second, third, gone]
    messages = [said(told(one, history)) for one in history[1:]]
    assert [one.kind for one in messages] == ["Alert", "Update", "Update", "Cancel"]
    for before, after in pairwise(range(len(messages))):
        assert {str(one) for one in messages[after].earlier} == {str(one.identity) for one in messages[: before + 1]}


def test_one_that_has_not_seen_the_others_names_the_first() -> None:
    third = replace(announcement(revision=7), updated_ms=NOW_MS + 9_000)
    (first,) = said(told(third, [third])).earlier
    assert first == identity(Told(announcement(revision=1)), SENDER, "demo")


def test_two_revisions_of_one_millisecond_have_different_names() -> None:
    first = announcement()
    second = replace(first, revision=2)
    assert said(told(second, [first, second])).kind == "Update"
    assert said(told(second, [first, second])).identity != said(told(first, [first, second])).identity


def test_what_is_taken_back_is_over_and_says_no_more_than_that() -> None:
    gone = replace(announcement(title="Lũ", body="Lên cao.", url="https://a.vn"), revision=2, status="recalled")
    (info,) = said(gone).infos
    assert (info.headline, info.description, info.web) == (
        "Đã thu hồi: Lũ",
        "Thông báo này đã được thu hồi.",
        "",
    )
    assert info.urgency == "Past"


def test_kept_words_are_said_while_they_mean_our_severity() -> None:
    cap = Cap(identifier="x", sender="kttv@a.vn", sent="y", urgency="Expected", severity="Severe", certainty="Likely")
    read = said(announcement(severity="breaking", cap=cap))
    assert read.source == "kttv@a.vn"
    assert (read.infos[0].urgency, read.infos[0].severity, read.infos[0].certainty) == ("Expected", "Severe", "Likely")
    (changed,) = said(announcement(severity="info", cap=cap)).infos
    assert Words(changed.urgency, changed.severity, changed.certainty) == BACK["info"]


def test_what_is_kept_but_breaks_the_rules_is_mended() -> None:
    cap = Cap(
        identifier="",
        sender="",
        sent="",
        urgency="?",
        severity="?",
        certainty="?",
        categories=("Weather", "Met"),
        event=" ",
        incidents='"x',
    )
    (info,) = said(announcement(cap=cap, language="x1")).infos
    assert (info.categories, info.event, info.language) == (("Met",), "Notice", "und")


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert said(announcement(title="a\ufffeb\uffff")).infos[0].headline == "a\ufffdb\ufffd"


def _text(most: int, *, line_breaks: bool = False) -> st.SearchStrategy[str]:
    characters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    among = st.one_of(characters, st.sampled_from(["<", "&", "]]>", '"', "\n" if line_breaks else " ", "\u3000", "ạ"]))
    return (
        st.lists(among, max_size=most // 4)
        .map(lambda parts: unicodedata.normalize("NFC", "".join(parts))[:most].strip(" \n" if line_breaks else " "))
        .filter(lambda text: not forbidden(text, line_breaks=line_breaks))
        # Cut, a text could begin to compose with what follows.
        .filter(lambda text: unicodedata.is_normalized("NFC", text))
    )


_TITLE = _text(MAX_TITLE).filter(visible)
_URL = st.sampled_from(["", "https://a.vn/?x=1&y=2", "http://[::1]:8080/", "https://a.vn/%20"])
_TEXT = st.builds(Text, title=_TITLE, body=_text(MAX_BODY, line_breaks=True), url=_URL)
_WORD = _text(making.MAX_WORD).filter(lambda text: bool(text.strip()))
_CAP = st.builds(
    Cap,
    identifier=st.just("x"),
    sender=st.just("kttv@a.vn"),
    sent=st.just("y"),
    urgency=st.sampled_from(schema.URGENCIES),
    severity=st.sampled_from(schema.SEVERITIES),
    certainty=st.sampled_from(schema.CERTAINTIES),
    categories=st.lists(st.sampled_from(schema.CATEGORIES), min_size=1, max_size=3, unique=True).map(tuple),
    event=_WORD,
    areas=st.lists(_WORD, max_size=3).map(tuple),
    incidents=st.sampled_from(["", "a", 'a "b c"']),
    note=_text(60, line_breaks=True),
)


@st.composite
def _announcements(draw: st.DrawFn) -> Announcement:
    cap = draw(st.none() | _CAP)
    severity = ours(Words(cap.urgency, cap.severity, cap.certainty)) if cap is not None else None
    main = draw(_TEXT)
    return announcement(
        severity=severity or draw(st.sampled_from(SEVERITIES)),
        title=main.title,
        body=main.body,
        url=main.url,
        language=draw(st.sampled_from(["", "vi", "en"])),
        texts=draw(st.dictionaries(st.sampled_from(["fr", "km", "zh"]), _TEXT, max_size=3)),
        audience=Audience(
            sections=draw(st.sampled_from([(), ("thoi-tiet",)])), paths=draw(st.sampled_from([(), ("/a/**", "/b")]))
        ),
        test=draw(st.booleans()),
        expires_ms=NOW_MS + 1000 * draw(st.integers(10, 86_400)),
        cap=cap,
    )


@given(_announcements())
@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@pytest.mark.slow
def test_what_is_written_is_read_as_the_same(one: Announcement) -> None:
    language = one.language or CHANNEL.language
    plan = making.plan(said(one), "demo", language, BOUNDS, NOW_MS)
    assert plan.act == "create"
    assert plan.test == one.test
    assert plan.notes == ()
    draft = plan.draft
    assert draft is not None
    assert (draft.title, draft.body, draft.url) == (one.title, one.body, one.url)
    assert (draft.language, draft.texts) == (language, one.texts)
    assert (draft.severity, draft.audience, draft.ends_ms) == (one.severity, one.audience, one.expires_ms)
    if one.cap is not None:
        names = {"identifier": "loa.demo.a", "sender": SENDER, "sent": written(NOW_MS)}
        assert draft.cap == replace(one.cap, **names)


def test_the_feed_leads_to_each_message() -> None:
    first, gone = announcement("a"), replace(announcement("b"), revision=2, status="recalled")
    addresses = {"a": "https://x/a.cap", "b": "https://x/b.cap"}
    root = ElementTree.fromstring(writing.feed(CHANNEL, SENDER, [Told(gone), Told(first)], addresses))
    assert root.findtext(f"{{{ATOM}}}id") == CHANNEL.address
    entries = root.findall(f"{{{ATOM}}}entry")
    links = [entry.find(f"{{{ATOM}}}link") for entry in entries]
    assert [link.get("href") for link in links if link is not None] == ["https://x/b.cap", "https://x/a.cap"]
    assert {link.get("type") for link in links if link is not None} == {"application/cap+xml"}
    assert [entry.findtext(f"{{{ATOM}}}title") for entry in entries] == [
        "Đã thu hồi: b in revision 1",
        "a in revision 1",
    ]
    assert len({entry.findtext(f"{{{ATOM}}}id") for entry in entries}) == 2
