"""The stores of a deployment: that of everything, and where leases have one of their own, that."""

from __future__ import annotations

from presence.settings import PresenceSettings
from settings.commandline import Deployment
from store.settings import Elsewhere, RedisSettings


def of_leases(deployment: Deployment) -> Elsewhere | None:
    """How to reach the store that only leases are in; None where they are in that of everything."""
    return deployment.section(RedisSettings).elsewhere(deployment.section(PresenceSettings).redis_url)
