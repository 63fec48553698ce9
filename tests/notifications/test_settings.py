from __future__ import annotations

import msgspec
import pytest

from notifications.settings import NotificationsSettings


@pytest.mark.parametrize(
    "section",
    [
        {"check_seconds": 0},
        {"max_expiry_days": 0},
        {"publish_burst": 0},
        {"log_length": 99},
        {"colour": "red"},
        {"cap_sender": "Cổng thông tin"},
        {"max_expiry_days": 1, "default_expiry_seconds": 86_401},
        {"approvals": ["demo/loud 1"]},
        {"approvals": ["demo/breaking 6"]},
        {"approvals": ["demo breaking 1"]},
    ],
)
def test_refuses_what_makes_no_sense(section: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, NotificationsSettings)


def test_says_which_settings_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="default_expiry_seconds is longer than max_expiry_days"):
        NotificationsSettings(max_expiry_days=1, default_expiry_seconds=86_401)


def test_the_strictest_site_decides_how_many_approve() -> None:
    settings = NotificationsSettings(approvals=["*/emergency 1", "demo/emergency 2", "tinh/emergency 0"])
    assert settings.approvals_needed(["demo", "other"], "emergency") == 2
    assert settings.approvals_needed(["other"], "emergency") == 1
    assert settings.approvals_needed(["tinh"], "emergency") == 0
    assert settings.approvals_needed(["demo"], "info") == 0
