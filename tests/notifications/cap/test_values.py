from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.cap import values
from notifications.cap.values import Identity


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T04:25:16-00:00",
        "2026-11-23T04:25:16+07:00",
        "2026-02-28T23:59:59-12:00",
        "2028-02-29T00:00:00+14:00",
    ],
)
def test_a_moment(value: str) -> None:
    assert values.moment(value) == ""


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-11-23T04:25:16Z",
        "2026-11-23T04:25:16",
        "2026-11-23T04:25:16.5-00:00",
        "2026-11-23 04:25:16-00:00",
        "2026-11-23",
        "2026-02-29T00:00:00-00:00",
        "2026-11-23T24:00:00-00:00",
        "2026-11-23T04:25:60-00:00",
        "2026-11-23T04:25:16+15:00",
        "2026-11-23T04:25:16+07:60",
        "0000-11-23T04:25:16-00:00",
        "0001-01-01T00:00:00+07:00",
        "9999-12-31T23:59:59-07:00",
        "２０２６-11-23T04:25:16-00:00",
    ],
)
def test_no_moment(value: str) -> None:
    assert values.moment(value)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  hypothesis wants them so
def test_a_moment_is_written_as_it_is_read(moment: datetime) -> None:
    unix_ms = (moment.replace(tzinfo=UTC, microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    assert values.moment(values.written(unix_ms)) == ""
    assert values.milliseconds(values.written(unix_ms)) == unix_ms


def test_an_offset_is_taken_off() -> None:
    assert values.milliseconds("2026-11-23T11:25:16+07:00") == values.milliseconds("2026-11-23T04:25:16-00:00")


def test_an_identity_is_the_same_in_every_time_zone() -> None:
    here = Identity("a@b", "1", "2026-11-23T11:25:16+07:00")
    there = Identity("a@b", "1", "2026-11-23T04:25:16-00:00")
    assert here.normal == there.normal
    assert str(here) == "a@b,1,2026-11-23T11:25:16+07:00"


@pytest.mark.parametrize("value", ["", "a b", "a,b", "a<b", "a&b", "a\nb", "a\u00a0b", "x" * 513])
def test_no_name(value: str) -> None:
    assert values.name(value)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("a,b,2026-11-23T04:25:16-00:00", True),
        ("a,b,2026-11-23T04:25:16-00:00\n  c,d,2026-11-23T04:25:16+07:00", True),
        ("", False),
        ("a,b", False),
        ("a,b,2026-11-23T04:25:16Z", False),
        ("a,,2026-11-23T04:25:16-00:00", False),
        ("a,b,c,2026-11-23T04:25:16-00:00", False),
        (" ".join(["a,b,2026-11-23T04:25:16-00:00"] * 201), False),
    ],
)
def test_references(value: str, right: bool) -> None:
    assert (values.references(value) == "") is right


@pytest.mark.parametrize(
    ("check", "value", "right"),
    [
        (values.polygon, "1,2 1,3 2,3 1,2", True),
        (values.polygon, "1,2\n1,3\n2,3\n1,2", True),
        (values.polygon, "1,2 1,3 1,2", False),
        (values.polygon, "1,2 1,3 2,3 1,4", False),
        (values.polygon, "91,2 1,3 2,3 91,2", False),
        (values.polygon, "1,181 1,3 2,3 1,181", False),
        (values.polygon, "1;2 1,3 2,3 1;2", False),
        (values.polygon, "nan,2 1,3 2,3 nan,2", False),
        (values.polygon, "", False),
        (values.circle, "32.9525,-115.5527 0", True),
        (values.circle, "32.9525,-115.5527 1.5", True),
        (values.circle, "32.9525,-115.5527", False),
        (values.circle, "32.9525,-115.5527 -1", False),
        (values.circle, "32.9525,-115.5527 inf", False),
        (values.circle, "32.9525 -115.5527 1", False),
        (values.language, "vi-VN", True),
        (values.language, "en", True),
        (values.language, "", False),
        (values.language, "vi_VN", False),
        (values.language, "x" * 9, False),
        (values.whole, "12", True),
        (values.whole, "1.5", False),
        (values.decimal, "-1.5", True),
        (values.decimal, "1e5", False),
        (values.decimal, "", False),
        (values.address, "https://a.vn/x", True),
        (values.address, "https://a.vn/ x", False),
        (values.quoted_words, 'one "two words" three', True),
        (values.quoted_words, 'one "two words three', False),
    ],
)
def test_a_value(check: values.Check, value: str, right: bool) -> None:
    assert (check(value) == "") is right
