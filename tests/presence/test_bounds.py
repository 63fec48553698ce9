"""The bound in force."""

from __future__ import annotations

from presence.bounds import bounds, patience
from presence.settings import PresenceSettings
from presence.terms import Terms

SETTINGS = PresenceSettings()


def test_the_bounds_of_the_default_settings() -> None:
    found = bounds(SETTINGS, Terms(SETTINGS), 40.0, 1.0)
    assert (found.join_seconds, found.leave_seconds) == (4.2, 19.2)
    assert (found.vanish_seconds, found.lost_worker_seconds) == (59.2, 34.1)
    assert found.freshness_seconds == 59.2


def test_they_grow_with_the_site_and_the_sessions() -> None:
    terms = Terms(SETTINGS)
    terms.update(0.0, 1_000_000)
    found = bounds(SETTINGS, terms, 40.0, 5.0)
    usual = bounds(SETTINGS, Terms(SETTINGS), 40.0, 1.0)
    assert found.lost_worker_seconds == found.freshness_seconds > 150
    assert found.join_seconds > usual.join_seconds
    assert found.leave_seconds > usual.leave_seconds + 48


def test_one_slow_answer_is_no_outage() -> None:
    assert patience(SETTINGS) > 2 * SETTINGS.count_seconds
