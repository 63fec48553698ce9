from __future__ import annotations

import pytest

from notifications.cap import message
from notifications.cap.faults import NotCap
from notifications.cap.values import Identity
from tests.notifications.cap.files import SENDER, SENT, alert, cancel, element, info, update


def test_says_what_the_file_says() -> None:
    area = element("area", element("areaDesc", "Quan Hóa"))
    parameter = element("parameter", element("valueName", "a") + element("value", "b"))
    read = message.read(
        alert(info(parameter, area, area, expires="2026-11-23T06:25:16-00:00", headline=None), note="n", source="s")
    )
    assert read.identity == Identity(SENDER, "VN-7", SENT)
    assert (read.status, read.kind, read.scope, read.note, read.source) == ("Actual", "Alert", "Public", "n", "s")
    (only,) = read.infos
    assert (only.language, only.categories, only.event) == ("vi-VN", ("Met",), "Lũ")
    assert (only.urgency, only.severity, only.certainty) == ("Immediate", "Severe", "Observed")
    assert (only.effective_ms, only.expires_ms) == (0, 1_795_415_116_000)
    assert (only.parameters, only.areas) == ((("a", "b"),), ("Quan Hóa", "Quan Hóa"))


def test_what_says_no_language_is_in_english() -> None:
    assert message.read(alert(info(language=None))).infos[0].language == "en-US"


def test_the_newest_reference_comes_first_whatever_its_time_zone() -> None:
    early, late = "a@b,1,2026-11-23T11:00:00+07:00", "a@b,2,2026-11-23T04:30:00-00:00"
    read = message.read(update(f"{early}\n {late}"))
    assert [one.identifier for one in read.earlier] == ["2", "1"]
    assert read.references_line == 9


def test_the_digest_is_of_what_is_said_not_of_the_layout() -> None:
    plain = message.read(cancel()).digest
    assert message.read(cancel().replace(b"<scope>", b"\n\n <scope>\n")).digest == plain
    assert message.read(cancel(note="x")).digest != plain


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(NotCap):
        message.read(alert(scope=None))
