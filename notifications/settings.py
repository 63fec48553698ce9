"""The section ``[notifications]``: how announcements are taken in, kept and passed on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, field

from notifications.announcement import SEVERITIES, Severity
from notifications.cap import values

_POLICY = re.compile(rf"(\*|[a-z0-9-]{{1,64}})/({'|'.join(SEVERITIES)}) [0-5]", re.ASCII)

_MOST_RETRIES = 30


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
        session_idle_minutes: After so long without use a person is signed out of the console.
        session_hours: After so long they are in any case.
        acknowledge_seconds: How long an answer waits for the disk and for the workers' counts.
        cap_sender: Who sends the CAP messages of `/feeds/{site}.cap`; empty: `loa@` and the host of the service.
        reach_ms: Time between two writes of whom announcements reached; a worker that is killed loses so much.
        reach_days: How long after an announcement's end it is known whom it reached.
        approvals: How many others have to approve of an announcement before it goes out: `"demo/emergency 2"`, or
            `"*/emergency 1"` for the sites that have nothing of their own. None where nothing is said; a test needs
            none.
        webhooks_private: Whether webhooks may be posted to by http, and to addresses of one's own networks and machine.
        webhooks_at_once: How many webhooks are posted to at once; one message at a time goes to each.
        webhook_seconds: How long a receiver may take to answer.
        webhook_retries: After how many seconds a delivery is tried again, and again; a fifth more or less by chance.
        webhook_rotation_hours: How long the secret before the newest is still used to sign, and still believed.
        webhooks_dead: How many deliveries that failed at every try are kept; the oldest go first.
    """

    LIVE: ClassVar = frozenset(
        {
            "publishes_per_second",
            "publish_burst",
            "failed_logins_per_minute",
            "default_expiry_seconds",
            "max_expiry_days",
            "max_active",
            "log_length",
            "idempotency_hours",
            "approvals",
            "webhooks_at_once",
            "webhook_retries",
            "webhook_rotation_hours",
            "webhooks_dead",
        }
    )

    publishes_per_second: Annotated[float, Meta(gt=0, le=10_000)] = 20.0
    publish_burst: Annotated[int, Meta(ge=1, le=100_000)] = 100
    failed_logins_per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 30
    default_expiry_seconds: Annotated[int, Meta(ge=10)] = 3600
    max_expiry_days: Annotated[int, Meta(ge=1, le=366)] = 30
    max_active: Annotated[int, Meta(ge=1, le=5_000)] = 2_000
    log_length: Annotated[int, Meta(ge=100, le=10_000_000)] = 10_000
    check_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 5.0
    idempotency_hours: Annotated[int, Meta(ge=1, le=24 * 30)] = 24
    session_idle_minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)] = 60
    session_hours: Annotated[int, Meta(ge=1, le=30 * 24)] = 12
    acknowledge_seconds: Annotated[float, Meta(gt=0, le=30)] = 2.0
    cap_sender: str = ""
    reach_ms: Annotated[int, Meta(ge=100, le=60_000)] = 1000
    reach_days: Annotated[int, Meta(ge=1, le=3_660)] = 90
    approvals: list[str] = []
    webhooks_private: bool = False
    webhooks_at_once: Annotated[int, Meta(ge=1, le=200)] = 16
    webhook_seconds: Annotated[float, Meta(gt=0, le=60)] = 10.0
    webhook_retries: list[float] = field(
        default_factory=lambda: [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800]
    )
    webhook_rotation_hours: Annotated[int, Meta(ge=0, le=24 * 30)] = 24
    webhooks_dead: Annotated[int, Meta(ge=1, le=100_000)] = 1_000

    def __post_init__(self) -> None:
        """Refuses a default that no editor could ask for, a policy that says nothing, and retries without end."""
        if self.default_expiry_seconds > self.max_expiry_seconds:
            raise ValueError("default_expiry_seconds is longer than max_expiry_days")
        if self.cap_sender and (why := values.name(self.cap_sender)):
            raise ValueError(f"cap_sender {why}")
        for line in self.approvals:
            if _POLICY.fullmatch(line) is None:
                raise ValueError(f'{line!r} in approvals is not of the form "demo/emergency 2" or "*/emergency 1"')
        if len(self.webhook_retries) > _MOST_RETRIES or not all(0 < one <= 86_400 for one in self.webhook_retries):
            raise ValueError(f"webhook_retries takes at most {_MOST_RETRIES} numbers of seconds, each up to a day")

    def approvals_needed(self, sites: Iterable[str], severity: Severity) -> int:
        """How many others have to approve of it: as many as the strictest of its sites asks for."""
        said = dict(line.split() for line in self.approvals)
        usual = said.get(f"*/{severity}", "0")
        return max((int(said.get(f"{site}/{severity}", usual)) for site in sites), default=0)

    @property
    def max_expiry_seconds(self) -> int:
        """`max_expiry_days` in seconds."""
        return self.max_expiry_days * 86_400
