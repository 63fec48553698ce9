"""When a delivery that failed is tried again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from hypothesis import example, given
from hypothesis import strategies as st

from notifications.settings import NotificationsSettings
from notifications.webhooks.schedule import MOST_ASKED_SECONDS, asked_seconds, pause_seconds

PAUSES = NotificationsSettings().webhook_retries
NOW = 1_795_000_000.0


def test_goes_on_for_about_a_day_by_longer_and_longer_pauses() -> None:
    assert sorted(PAUSES) == PAUSES
    for chance in (0.0, 1.0):
        pauses = [pause_seconds(tries, PAUSES, chance=chance) for tries in range(1, len(PAUSES) + 2)]
        assert pauses[-1] is None
        assert 18 * 3600 < sum(pause for pause in pauses if pause is not None) < 30 * 3600


@given(
    st.integers(1, 40),
    st.lists(st.floats(0.01, 86_400), max_size=30),
    st.floats(0, 1),
    st.floats(0, 1e9),
)
def test_pauses_are_near_the_schedule_and_never_shorter_than_asked(
    tries: int, pauses: list[float], chance: float, asked: float
) -> None:
    pause = pause_seconds(tries, pauses, chance=chance, asked_seconds=asked)
    assert (pause is None) == (tries > len(pauses))
    if pause is not None:
        planned = pauses[tries - 1]
        assert pause >= min(asked, MOST_ASKED_SECONDS)
        assert pause <= max(1.21 * planned, asked)
        assert pause >= 0.79 * planned


def test_chance_spreads_what_failed_together() -> None:
    spread = {pause_seconds(3, PAUSES, chance=chance / 10) for chance in range(11)}
    assert len(spread) == 11


@given(st.integers(0, 10**9))
def test_understands_seconds_and_dates(seconds: int) -> None:
    assert asked_seconds(str(seconds), NOW) == seconds
    date = format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)
    assert abs(asked_seconds(date, NOW) - seconds) <= 1


@given(st.text(max_size=60))
@example("-5")
@example("Fri, 99 Nov 2026 00:00:00 GMT")
@example("Thu, 01 Jan 1970 00:00:00 GMT")
@example("9" * 5000)
@example("²")
def test_whatever_else_is_sent_is_no_error(text: str) -> None:
    assert asked_seconds(text, NOW) >= 0.0
