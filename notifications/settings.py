"""The section ``[notifications]``: how announcements are taken in, kept and passed on."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class NotificationsSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How announcements are taken in, kept and passed on.

    Attributes:
        publishes_per_second: What one API token may publish, update and recall on average, on each worker.
        publish_burst: How many of these it may do at once.
        failed_logins_per_minute: After so many wrong tokens an address is told to wait; a valid token never is.
        default_expiry_seconds: How long an announcement is shown if the editor does not say.
        max_expiry_days: The longest an editor may ask for.
        max_active: So many announcements may be active at once; every new browser is sent those of its site.
        log_length: About how many changes the log keeps for workers and browsers that catch up.
        check_seconds: How often a worker compares what it has applied with what the store holds.
        idempotency_hours: How long a request with an Idempotency-Key is remembered.
        acknowledge_seconds: How long an answer waits for the disk and for the workers' counts.
    """

    publishes_per_second: Annotated[float, Meta(gt=0, le=10_000)] = 20.0
    publish_burst: Annotated[int, Meta(ge=1, le=100_000)] = 100
    failed_logins_per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 30
    default_expiry_seconds: Annotated[int, Meta(ge=10)] = 3600
    max_expiry_days: Annotated[int, Meta(ge=1, le=366)] = 30
    max_active: Annotated[int, Meta(ge=1, le=5_000)] = 2_000
    log_length: Annotated[int, Meta(ge=100, le=10_000_000)] = 10_000
    check_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 5.0
    idempotency_hours: Annotated[int, Meta(ge=1, le=24 * 30)] = 24
    acknowledge_seconds: Annotated[float, Meta(gt=0, le=30)] = 2.0

    def __post_init__(self) -> None:
        """Refuses a default that no editor could ask for."""
        if self.default_expiry_seconds > self.max_expiry_seconds:
            raise ValueError("default_expiry_seconds is longer than max_expiry_days")

    @property
    def max_expiry_seconds(self) -> int:
        """`max_expiry_days` in seconds."""
        return self.max_expiry_days * 86_400
