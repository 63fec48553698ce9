from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import validation
from notifications.announcement import Audience, Draft, Severity, Text
from notifications.console import writing
from notifications.console.form import Form
from notifications.errors import Invalid, WrongField
from tests.notifications.console.desk_house import written
from tests.notifications.making import announcement

NOW_MS = int(datetime(2026, 11, 27, 1, 0, tzinfo=UTC).timestamp() * 1000)
ZONES = {"demo": "Asia/Ho_Chi_Minh", "paris": "Europe/Paris"}
BOUNDS = validation.Bounds(ZONES.keys(), 3600, 30 * 86_400, ZONES, NOW_MS)
_TITLES = st.text("abcđêộ ", min_size=1, max_size=40).map(str.strip).filter(bool)
_NAMES = st.lists(st.sampled_from(["tin-tuc", "thoi-tiet", "x_1"]), unique=True, max_size=3).map(tuple)


def wrong(form: Form) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        writing.draft(form, BOUNDS)
    return writing.errors(caught.value.wrong, form)


def test_what_is_too_much_as_a_whole_is_said_beside_what_makes_it_so() -> None:
    whole = [WrongField("audience", "/audience", "too much"), WrongField("texts", "/texts", "too much")]
    assert writing.errors(whole, Form([])) == {"paths": "too much", "body-0": "too much"}


def test_a_form_is_a_draft() -> None:
    form = Form(
        written(
            "Lũ lên nhanh",
            "emergency",
            ["demo", "paris"],
            body_0="Một\nhai",
            url_0=" https://tinh.example.vn/lu ",
            language_0="vi",
            language_1="en",
            title_1="Flood",
            body_1="",
            url_1="",
            sections="tin-tuc, thoi-tiet",
            paths="/tin/**\n\n /x ",
            languages="vi en",
            visible="1",
            test="1",
            lasting="7200",
        )
    )
    assert writing.draft(form, BOUNDS) == Draft(
        sites=("demo", "paris"),
        severity="emergency",
        title="Lũ lên nhanh",
        body="Một\nhai",
        url="https://tinh.example.vn/lu",
        language="vi",
        texts={"en": Text(title="Flood")},
        audience=Audience(
            sections=("tin-tuc", "thoi-tiet"), paths=("/tin/**", "/x"), languages=("vi", "en"), visible=True
        ),
        test=True,
        expires_in=7200,
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"title_0": " "}, {"title-0"}),
        ({"title_0": "x" * 121, "body_0": "y" * 1001, "url_0": "javascript:alert(1)"}, {"title-0", "body-0", "url-0"}),
        ({"severity": ""}, {"severity"}),
        ({"language_1": "", "title_1": "x"}, {"language-1"}),
        ({"language_2": "en", "title_2": " "}, {"title-2"}),
        ({"language_0": "en", "language_3": "en", "title_3": "x"}, {"language-3"}),
        ({"sections": "a b/c"}, {"sections"}),
        ({"paths": "tin"}, {"paths"}),
        ({"languages": "Vietnamese"}, {"languages"}),
        ({"lasting": "1"}, {"lasting"}),
        ({"lasting": "until"}, {"ends_at"}),
        ({"lasting": "until", "ends_at": "2026-11-27T07:59"}, {"ends_at"}),
        ({"lasting": "until", "ends_at": "2027-02-27T07:59"}, {"ends_at"}),
        ({"when": "later", "starts_at": ""}, {"starts_at"}),
        ({"when": "later", "starts_at": "2026-11-27T07:59"}, {"starts_at"}),
        ({"when": "later", "starts_at": "tomorrow"}, {"starts_at"}),
        ({"sites": "nowhere"}, {"sites"}),
    ],
)
def test_what_is_wrong_is_said_of_the_field_it_stands_in(changes: dict[str, str], fields: set[str]) -> None:
    assert wrong(Form(written(**changes))).keys() == fields


def test_times_are_those_of_the_sites_clock() -> None:
    for site, hour in (("demo", 1), ("paris", 7)):
        form = Form(written(sites=[site], when="later", starts_at="2026-11-28T08:00"))
        starts_ms = writing.draft(form, BOUNDS).starts_ms
        assert datetime.fromtimestamp(starts_ms / 1000, UTC) == datetime(2026, 11, 28, hour, tzinfo=UTC)
        assert writing.local(starts_ms, ZONES[site]) == "2026-11-28T08:00"


def test_a_time_that_was_set_and_given_up_again_is_none() -> None:
    form = Form(written(when="", starts_at="2020-01-01T00:00", ends_at="2020-01-01T00:00"))
    assert writing.draft(form, BOUNDS).starts_ms == 0


def test_a_correction_leaves_what_is_fixed_and_says_only_what_it_means() -> None:
    one = announcement(sites=("demo",), status="live")
    form = Form([*writing.pairs(writing.filled(one, ZONES["demo"], live=True)), ("show_again", "1")])
    document = writing.document(form, BOUNDS, live=True)
    assert not {"sites", "test", "starts_at", "expires_in", "expires_at"} & document.keys()
    assert document["show_again"] is True


def test_languages_come_and_go() -> None:
    form = writing.with_row(writing.with_row(Form(written())))
    assert [row.number for row in writing.rows(form)] == [0, 1, 2]
    assert [row.number for row in writing.rows(writing.without_row(form, 1))] == [0, 2]
    assert [row.number for row in writing.rows(writing.with_row(writing.without_row(form, 1)))] == [0, 1, 2]
    assert [row.number for row in writing.rows(writing.without_row(form, 0))] == [0, 1, 2]
    for _ in range(20):
        form = writing.with_row(form)
    assert len(writing.rows(form)) == writing.ROWS


@given(
    title=_TITLES,
    severity=st.sampled_from(["info", "notice", "breaking", "emergency"]),
    texts=st.dictionaries(
        st.sampled_from(["en", "fr", "km"]), _TITLES.map(lambda title: Text(title=title, body="x\ny"))
    ),
    sections=_NAMES,
    visible=st.booleans(),
    test=st.booleans(),
    minutes=st.integers(min_value=1, max_value=40_000),
    later=st.sampled_from([0, NOW_MS + 86_400_000, NOW_MS + 90_061_000]),
)
def test_what_a_form_is_filled_from_is_what_it_says(
    title: str,
    severity: Severity,
    texts: dict[str, Text],
    *,
    sections: tuple[str, ...],
    visible: bool,
    test: bool,
    minutes: int,
    later: int,
) -> None:
    draft = Draft(
        sites=("demo",),
        severity=severity,
        title=title,
        language="vi",
        texts=texts,
        audience=Audience(sections=sections, visible=visible),
        test=test,
        expires_in=minutes * 60,
        starts_ms=later,
    )
    assert writing.draft(writing.filled(draft, ZONES["demo"]), BOUNDS) == draft
