"""The settings of this room, section ``[presence]``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from store.urls import CLUSTER_SCHEMES, SCHEMES, check_url

# The renewal interval may lag this far behind its stretching (see presence.terms), so grace must have it to spare.
SPARE = 1.1


class PresenceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a reader is held to be here, and how often the number is brought up to date.

    Attributes:
        renew_seconds: Time between two renewals of a reader's lease; stretches on sites with very many readers.
        lease_seconds: A lease lapses after this long without a renewal, as when a worker is killed.
        grace_seconds: A reader whose last tab closed is counted for so long, so that turning a page is no departure.
        renewals_per_second: Most renewals of one site, over all workers; beyond, all three times above stretch.
        count_seconds: Time between two counts.
        batch_ms: Time between two writes to the store; a new reader waits this long at most.
        batch_size: Most readers in one command.
        redis_url: Where leases are, if not in the store of [redis]: another Redis, or a Redis Cluster named by any of
            its nodes, ``redis+cluster://`` or with TLS ``rediss+cluster://``. User and password stand in the address;
            better given as LOA_PRESENCE_REDIS_URL.
        shards: Over how many keys a site's readers are spread, for Redis Cluster. To change it, stop all workers
            first: one reader would be counted under each number.
        scopes: What is counted besides the site: sections, pages, both or neither.
        places: Most sections and pages of one site that one worker keeps count of at a time; readers elsewhere are
            counted for the site only. Each costs a key in the store.
        places_per_address: Most of these that came up from one address, so that nobody can take them all.
        identity: What a browser keeps: ``browser``, its reader's id; ``session``, nothing at all: every page that is
            opened is a new reader, except such as share a connection.
        history_ms: Time between two writes of page views and visits; a worker that is killed loses the views of so
            long.
        secret: Signs the ids of readers; the same on all nodes. Empty: made once and kept in the store.
    """

    renew_seconds: Annotated[float, Meta(ge=0.5, le=300)] = 10.0
    lease_seconds: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    grace_seconds: Annotated[float, Meta(ge=0.5, le=600)] = 12.0
    renewals_per_second: Annotated[int, Meta(ge=100)] = 20_000
    count_seconds: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    batch_ms: Annotated[int, Meta(ge=10, le=1000)] = 100
    # Around midnight a reader has two names, and Lua hands over some 8,000 values at most.
    batch_size: Annotated[int, Meta(ge=1, le=1000)] = 500
    redis_url: str = ""
    shards: Annotated[int, Meta(ge=1, le=1024)] = 1
    scopes: list[Literal["section", "page"]] = field(default_factory=lambda: ["section", "page"])
    places: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    places_per_address: Annotated[int, Meta(ge=1)] = 500
    identity: Literal["browser", "session"] = "browser"
    history_ms: Annotated[int, Meta(ge=10, le=60_000)] = 500
    secret: str = ""

    def __post_init__(self) -> None:
        if self.redis_url:
            try:
                check_url(self.redis_url, (*SCHEMES, *CLUSTER_SCHEMES))
            except ValueError as error:
                raise ValueError(f"redis_{error}") from None
        batch = self.batch_ms / 1000
        if self.grace_seconds < SPARE * self.renew_seconds + batch:
            raise ValueError(
                "grace_seconds must exceed renew_seconds by a tenth and batch_ms, or a reader who closes one of two "
                f"tabs flickers; at least {SPARE * self.renew_seconds + batch:g}"
            )
        if self.lease_seconds < 2 * (self.renew_seconds + batch):
            raise ValueError(
                "lease_seconds must be at least twice renew_seconds and batch_ms, or one missed renewal drops readers; "
                f"at least {2 * (self.renew_seconds + batch):g}"
            )
        if self.lease_seconds < self.grace_seconds:
            raise ValueError("lease_seconds must not be less than grace_seconds, or a departure would lengthen a lease")
        if self.secret and len(self.secret) < 32:
            raise ValueError("secret must have at least 32 characters, or readers' ids could be forged")
