"""What happens in the rooms of all workers is on the page `/metrics` of the one listener."""

from __future__ import annotations

from tests.service import Service
from tests.system.follower import Follower
from tests.system.metrics import metrics


async def test_traffic_is_measured(service: Service) -> None:
    async with Follower(service.url, "demo") as one, Follower(service.url, "demo") as other:
        for reader in (one, other):
            await reader.until(lambda reader=reader: reader.online == 2)
        id = await service.publish("demo", title="Tin")
        for reader in (one, other):
            await reader.until(lambda reader=reader: id in reader.view)
        page = await metrics(
            service,
            lambda page: (
                page.total("loa_readers", site="demo") == 2
                and page.total("loa_handshakes_total", outcome="accepted") == 2
                and page.total("loa_fanout_seconds_count") > 0
                and page.total("loa_redis_round_trip_seconds_count") > 0
                and page.total("loa_event_loop_lag_seconds_count") > 0
                and page.total("loa_deliveries_total") >= 2
            ),
        )
        assert page.total("loa_sessions", site="demo") == 2
        assert page.total("loa_readers_held", site="demo") == 2
        assert page.by_worker("loa_announcements_version") == {0: 1, 1: 1}
        assert page.total("loa_store_up") == 1
        assert page.total("loa_redis_errors_total") == 0
