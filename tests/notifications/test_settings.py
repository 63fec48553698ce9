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
        {"max_expiry_days": 1, "default_expiry_seconds": 86_401},
    ],
)
def test_refuses_what_makes_no_sense(section: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, NotificationsSettings)


def test_says_which_settings_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="default_expiry_seconds is longer than max_expiry_days"):
        NotificationsSettings(max_expiry_days=1, default_expiry_seconds=86_401)
