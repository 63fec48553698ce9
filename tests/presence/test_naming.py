"""Names around midnight: both are sent for as long as either may be in Redis."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from presence.identity import Identity
from presence.naming import MARGIN_MS, Naming

IDENTITY = Identity(b"a secret of the tests that is long enough")
DAY_MS = 86_400_000
MIDNIGHT = 20_780 * DAY_MS  # 2026-11-23T00:00Z
READER = b"abcdefghijklmnop"
YESTERDAY, TODAY = (IDENTITY.member("demo", READER, day) for day in ("2026-11-22", "2026-11-23"))


def naming() -> Naming:
    return Naming(IDENTITY, "demo", UTC)


def test_by_day_a_reader_has_one_name_until_midnight() -> None:
    names = naming().at(MIDNIGHT + DAY_MS // 2, 30_000)
    assert names.of([READER]) == {READER: TODAY}
    assert names.midnight_ms == MIDNIGHT + DAY_MS


def test_before_midnight_the_old_name_comes_first() -> None:
    names = naming().at(MIDNIGHT - 1, 30_000)
    assert names.of([READER]) == {READER: YESTERDAY + TODAY}
    assert names.midnight_ms == MIDNIGHT


def test_after_midnight_the_same_two_names_are_sent() -> None:
    assert naming().at(MIDNIGHT, 30_000) == naming().at(MIDNIGHT - 1, 30_000)


@given(st.integers(-2 * DAY_MS, 2 * DAY_MS), st.integers(1000, 600_000))
def test_an_old_name_is_known_until_its_last_lease_has_lapsed(offset: int, lease_ms: int) -> None:
    at = MIDNIGHT + offset
    names = naming().at(at, lease_ms)
    since_midnight = at % DAY_MS
    if since_midnight <= lease_ms or DAY_MS - since_midnight <= MARGIN_MS:
        assert len(names.keys) == 2
        assert names.midnight_ms in {at - since_midnight, at - since_midnight + DAY_MS}
    if len(names.keys) == 1:
        assert at < names.midnight_ms, "a single name that Redis would refuse"


@given(st.lists(st.integers(-2 * DAY_MS, 2 * DAY_MS), min_size=2, max_size=6))
def test_what_was_asked_before_does_not_matter(offsets: list[int]) -> None:
    kept = naming()
    for offset in offsets:
        assert kept.at(MIDNIGHT + offset, 30_000) == naming().at(MIDNIGHT + offset, 30_000)
