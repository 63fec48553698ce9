from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.announcement import MAX_BODY, MAX_LANGUAGES, MAX_TITLE, Audience, Draft, Text
from notifications.cap import making, message
from notifications.cap.making import PATH, SECTION, Bounds, Plan, cut, plan
from notifications.cap.values import written
from notifications.characters import forbidden, visible
from tests.notifications.cap.files import SENDER, SENT, alert, cancel, element, info, update
from tests.notifications.making import NOW_MS

HOUR_MS = 3_600_000
BOUNDS = Bounds(3600, 30 * 86_400)


def planned(data: bytes, language: str = "vi") -> Plan:
    """What is made of `data` on the site ``demo``."""
    return plan(message.read(data), "demo", language, BOUNDS, NOW_MS)


def made(data: bytes, language: str = "vi") -> Draft:
    """The text that `data` becomes."""
    draft = planned(data, language).draft
    assert draft is not None
    return draft


def parameter(name: str, value: str) -> str:
    return element("parameter", element("valueName", name) + element("value", value))


def test_an_alert_becomes_an_announcement() -> None:
    one = planned(
        alert(
            info(
                element("description", "Nước dâng."),
                element("instruction", "Lên chỗ cao."),
                element("web", "https://kttv.example.vn/lu"),
                element("area", element("areaDesc", "Quan Hóa")),
                expires=written(NOW_MS + HOUR_MS),
                headline=None,
                senderName=None,
            ).replace("<expires>", "<expires>"),
            note="n",
        )
    )
    assert (one.act, one.then, one.test, one.notes) == ("create", "live", False, ())
    draft = one.draft
    assert draft is not None
    assert (draft.sites, draft.severity, draft.language) == (("demo",), "emergency", "vi")
    assert (draft.title, draft.body) == ("Lũ", "Nước dâng.\n\nLên chỗ cao.")
    assert draft.url == "https://kttv.example.vn/lu"
    assert (draft.starts_ms, draft.ends_ms) == (0, NOW_MS + HOUR_MS)
    cap = draft.cap
    assert cap is not None
    assert (cap.identifier, cap.sender, cap.sent, cap.references) == ("VN-7", SENDER, SENT, "")
    assert (cap.urgency, cap.severity, cap.certainty) == ("Immediate", "Severe", "Observed")
    assert (cap.categories, cap.event, cap.areas, cap.note) == (("Met",), "Lũ", ("Quan Hóa",), "n")


@pytest.mark.parametrize(
    ("data", "act", "then", "test"),
    [
        (alert(), "create", "live", False),
        (alert(status="Test"), "create", "live", True),
        (alert(status="Exercise"), "create", "live", True),
        (alert(status="Draft"), "create", "draft", False),
        (alert(info(headline=None, effective=written(NOW_MS + HOUR_MS))), "create", "scheduled", False),
        (alert(info(headline=None, effective=written(NOW_MS - HOUR_MS))), "create", "live", False),
        (alert(info(headline=None, onset=written(NOW_MS + HOUR_MS))), "create", "live", False),
        (update(), "change", "live", False),
        (update(status="Test"), "change", "live", True),
        (update(f"a@b,1,{SENT}", info(headline=None, expires=written(NOW_MS))), "withdraw", "live", False),
        (cancel(), "withdraw", "live", False),
        (cancel(status="Exercise"), "withdraw", "live", True),
    ],
)
def test_what_is_done(data: bytes, act: str, then: str, test: bool) -> None:
    one = planned(data)
    assert (one.act, one.then, one.test) == (act, then, test)
    assert one.draft is None or one.draft.test is test


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (update(msgType="Ack"), "of the type Ack"),
        (update(msgType="Error"), "of the type Error"),
        (alert(status="System"), "of the status System"),
        (alert(scope="Restricted", restriction="police"), "scope is Restricted"),
        (alert(scope="Private", addresses="a"), "scope is Private"),
        (update(status="Draft"), "a Draft of the type Update changes nothing"),
        (cancel(status="Draft"), "a Draft of the type Cancel changes nothing"),
        (alert("<!-- -->"), "it has no info"),
        (alert(info(headline=None, expires=written(NOW_MS))), "it has expired"),
        (alert(info(headline="\u200b", event="\u200b")), "anything to be seen"),
        (
            alert(info(headline=None, effective=written(NOW_MS + HOUR_MS), expires=written(NOW_MS + HOUR_MS))),
            "it expires before it becomes effective",
        ),
        (alert(info(headline=None, effective="2029-01-01T00:00:00-00:00")), "effective in more than 366 days"),
    ],
)
def test_what_is_ignored_and_why(data: bytes, why: str) -> None:
    one = planned(data)
    assert (one.act, one.draft) == ("ignore", None)
    assert why in one.why


def test_a_cancel_says_why_in_its_words() -> None:
    assert planned(cancel()).why == "Lũ lên nhanh"
    no_info = cancel().decode().split("<info>")[0] + "</alert>"
    assert planned(no_info.encode()).why == "cancelled by its sender"


def test_a_text_for_each_language_the_site_s_is_the_main_one() -> None:
    infos = (info(language="en-GB", headline="Flood"), info(), info(language="fr", headline="Crue"))
    draft = made(alert(*infos))
    assert (draft.language, draft.title) == ("vi", "Lũ lên nhanh")
    assert draft.texts == {"en": Text(title="Flood"), "fr": Text(title="Crue")}
    assert made(alert(*infos), "en").language == "en"
    # A site whose language it does not have shows the first.
    assert made(alert(infos[2], infos[0])).title == "Crue"


def test_of_several_in_a_language_the_most_urgent_counts() -> None:
    mild, grave = info(headline="Mưa", severity="Minor"), info(headline="Lũ quét")
    draft = made(alert(mild, grave, info(headline="Bão")))
    assert (draft.title, draft.severity, draft.texts) == ("Lũ quét", "emergency", {})


def test_one_that_has_expired_does_not_count() -> None:
    over = info(headline=None, expires=written(NOW_MS - 1000))
    draft = made(alert(over, info(language="en", headline="Flood", severity="Minor")))
    assert (draft.language, draft.severity, draft.texts) == ("en", "info", {})


def test_more_languages_than_may_be_are_left_out() -> None:
    further = [info(language=f"x{letter}") for letter in "abcdefghij"]
    one = planned(alert(info(), *further, info(language="i-enochian")))
    assert one.draft is not None
    assert len(one.draft.texts) == MAX_LANGUAGES
    assert one.notes[-1] == "the text in i is left out"
    assert len(one.notes) == len(further) - MAX_LANGUAGES + 1


def test_what_is_too_long_is_cut_and_said() -> None:
    one = planned(alert(info(element("description", "nước " * 400), element("instruction", "chạy " * 100))))
    draft = one.draft
    assert draft is not None
    assert len(draft.body) <= MAX_BODY
    said, to_do = draft.body.split("\n\n")
    assert said.endswith("nước…")
    # What to do is kept, as far as there is room.
    assert to_do.endswith("chạy…")
    assert len(to_do) >= MAX_BODY // 3
    assert one.notes == ("the text in vi is cut: it is longer than an announcement's",)


def test_a_short_instruction_is_whole_however_long_the_description() -> None:
    draft = made(alert(info(element("description", "nước " * 400), element("instruction", "Lên chỗ cao."))))
    assert draft.body.endswith("…\n\nLên chỗ cao.")
    assert len(draft.body) <= MAX_BODY


def test_a_link_that_no_editor_may_give_is_left_out() -> None:
    one = planned(alert(info(element("web", "https://bank.vn@evil.example/"))))
    assert one.draft is not None
    assert one.draft.url == ""
    assert one.notes == ("the link in vi is left out: it must not contain a user name or password",)


def test_lines_and_directions_in_a_headline_are_left_out() -> None:
    draft = made(alert(info(headline="Lũ\n      lên\t\u202enhanh", event="a\nb")))
    assert draft.title == "Lũ lên nhanh"
    assert draft.cap is not None
    assert draft.cap.event == "a b"


def test_what_is_shown_longer_than_may_be_is_cut_short() -> None:
    one = planned(alert(info(headline=None, expires="2030-01-01T00:00:00-00:00")))
    assert one.draft is not None
    assert one.draft.ends_ms == NOW_MS + 30 * 86_400_000
    assert len(one.notes) == 1
    assert made(alert()).ends_ms == 0
    assert made(alert()).expires_in == 3600


def test_parameters_limit_the_audience() -> None:
    one = planned(
        alert(
            info(
                parameter(SECTION, "thoi-tiet"),
                parameter(PATH, "/thoi-tiet/**"),
                parameter(PATH, "no slash"),
                parameter("other", "x"),
            ),
            info(parameter(SECTION, "thoi-tiet"), language="en"),
        )
    )
    assert one.draft is not None
    assert one.draft.audience == Audience(sections=("thoi-tiet",), paths=("/thoi-tiet/**",))
    assert one.notes == ("not all values of loa:path are taken",)


def test_long_references_are_kept_as_whole_ones() -> None:
    draft = made(update(" ".join(f"{SENDER},VN-{number},{SENT}" for number in range(100))))
    assert draft.cap is not None
    assert len(draft.cap.references) <= making.MAX_REFERENCES
    assert draft.cap.references.startswith(f"{SENDER},VN-")
    assert draft.cap.references.endswith(f"{SENDER},VN-99,{SENT}")


@given(st.text(), st.integers(2, 60))
def test_a_cut_text_fits_and_is_its_beginning(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short) <= most
    if len(text) <= most:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


def test_a_text_is_cut_at_a_word() -> None:
    assert cut("one two three", 9) == "one two…"
    assert cut("one two three", 8) == "one two…"
    assert cut("one two three", 7) == "one…"
    assert cut("abcdefghij", 5) == "abcd…"
    assert cut("a bcdefghijk", 8) == "a bcdef…"


_XML = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff\x00").filter(str.isprintable))


@given(_XML, _XML, _XML, _XML)
def test_whatever_comes_is_as_an_editor_could_have_written_it(
    headline: str, event: str, description: str, instruction: str
) -> None:
    data = alert(
        info(
            element("description", files_text(description)),
            element("instruction", files_text(instruction)),
            headline=headline,
            event=event.strip(" \t\r\n") or "x",
        )
    )
    one = planned(data)
    if one.draft is None:
        assert "anything to be seen" in one.why or not visible(headline + event)
        return
    assert 1 <= len(one.draft.title) <= MAX_TITLE
    assert visible(one.draft.title)
    assert not forbidden(one.draft.title)
    assert unicodedata.is_normalized("NFC", one.draft.title + "\n" + one.draft.body)
    assert len(one.draft.body) <= MAX_BODY
    assert not forbidden(one.draft.body, line_breaks=True)


def files_text(text: str) -> str:
    """`text` as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")


@pytest.mark.parametrize("blank", [" ", "\t", " \t", "\n", " \n", "\u3000", "\u00a0"])
def test_a_headline_of_blanks_is_no_work(blank: str) -> None:
    """A run without a break was tried from each blank: a quarter of a megabyte would have held the loop for minutes."""
    sent = alert(info(headline=f"Lũ{blank * (60_000 // len(blank))}lớn"))
    began = time.thread_time()
    assert made(sent).title.startswith("Lũ")
    assert time.thread_time() - began < 5
