"""The section [presence]: what contradicts itself is refused with the reason."""

from __future__ import annotations

import msgspec
import pytest

from presence.settings import PresenceSettings


def test_the_defaults_are_those_of_the_design() -> None:
    settings = PresenceSettings()
    assert (settings.renew_seconds, settings.grace_seconds, settings.lease_seconds) == (10, 12, 30)
    assert (settings.batch_ms, settings.batch_size, settings.renewals_per_second) == (100, 500, 20_000)


@pytest.mark.parametrize(
    ("contradiction", "names"),
    [
        ({"grace_seconds": 10.0}, "grace_seconds"),
        ({"grace_seconds": 11.0}, "grace_seconds"),
        ({"renew_seconds": 15.0, "grace_seconds": 20.0}, "lease_seconds"),
        ({"grace_seconds": 40.0}, "lease_seconds"),
        ({"secret": "too short"}, "secret"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 4000}, "batch_size"),
        ({"count_seconds": 0.0}, "count_seconds"),
        ({"redis_url": "http://a"}, r"redis_url must begin with .* or rediss\+cluster://"),
        ({"redis_url": "redis+cluster://a/2"}, "redis_url: a cluster has no databases"),
        ({"lease": 30}, "lease"),
    ],
)
def test_a_contradiction_is_refused_by_name(contradiction: dict[str, object], names: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=names):
        msgspec.convert(contradiction, PresenceSettings)
