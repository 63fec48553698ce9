"""Leases stretch with the size of a site, and never so fast that one lapses before it is renewed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.settings import PresenceSettings
from presence.terms import Terms

SETTINGS = PresenceSettings()


def test_a_common_site_has_the_terms_of_the_settings() -> None:
    terms = Terms(SETTINGS)
    for second in range(100):
        terms.update(float(second), 200_000)
    assert (terms.renew_seconds, terms.lease_seconds, terms.grace_seconds) == (10, 30, 12)


def test_a_worker_that_starts_on_a_large_site_takes_its_pace_at_once() -> None:
    terms = Terms(SETTINGS)
    terms.update(0.0, 1_000_000)
    assert (terms.renew_seconds, terms.lease_seconds, terms.grace_seconds) == (50, 150, 60)


def test_growth_is_slow_and_shrinking_is_not() -> None:
    terms = Terms(SETTINGS)
    terms.update(0.0, 0)
    terms.update(10.0, 1_000_000)
    assert terms.renew_seconds == 11
    terms.update(11.0, 1000)
    assert terms.renew_seconds == 10


@given(st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 3_000_000)), min_size=1, max_size=300))
def test_grace_and_lease_outlast_the_wait_for_the_next_renewal(steps: list[tuple[float, int]]) -> None:
    terms = Terms(SETTINGS)
    now = 0.0
    terms.update(now, 0)
    # A reader renewed at the start: the hand goes round once in as long as this adds up to 1.
    granted = terms.grace_seconds
    turned = 0.0
    for passed, online in steps:
        turned += passed / terms.renew_seconds
        now += passed
        if turned >= 1:
            break
        terms.update(now, online)
        assert now <= granted, "the grace given at the start ran out before the renewal"
        assert terms.grace_seconds / terms.renew_seconds == pytest.approx(1.2)
