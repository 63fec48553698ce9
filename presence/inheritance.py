"""What a run of the service does with the leases of the run before it, where no other node shares the store.

After a crash and a restart Redis still holds every reader of before. Most come back within the longest wait they were
told between two attempts; whoever has not come by then has gone. So all inherited leases are cut to that wait, before
a worker begins to renew: the number is then right as soon as everybody who can be back is back, and not only one
lease later. Never done on a store that other nodes may share: their readers are not ours to give up.
"""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.desk import reconnect_ms
from gateway.settings import GatewaySettings
from gateway.sites import Sites
from presence.ledger import Ledger
from presence.settings import PresenceSettings

# For a handshake, and for the batch in which the lease is renewed.
ARRIVAL_SECONDS = 1.0


async def shorten(redis: Redis, prefix: str, sites: Sites, presence: PresenceSettings, gateway: GatewaySettings) -> int:
    """Cuts the leases of all sites; returns how many were longer.

    Raises:
        redis.exceptions.RedisError: The store did not answer.
    """
    ledger = Ledger(redis, prefix, presence.shards)
    online = sum([(await ledger.count(site)).online for site in sites])
    # As if one worker had held them all, of every site: it told them to wait longest.
    _, longest_ms = reconnect_ms(gateway, online)
    return sum([await ledger.inherit(site, longest_ms / 1000 + ARRIVAL_SECONDS) for site in sites])
