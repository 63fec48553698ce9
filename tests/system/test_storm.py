"""Many come at once: what is done for each of them is done without the store."""

from __future__ import annotations

from urllib.parse import urlsplit

from benchmarks.usage import Meter
from presence.crowd import Crowd, Target, loopback_sources
from tests.service import Service

READERS = 1_000
# Leases are written ten times a second by each of two workers, in a script for those that came and one for the others.
BEATS = 2 * 10 * 2


async def test_no_command_is_sent_for_each_reader_that_comes(service: Service) -> None:
    await service.publish("demo")
    parts = urlsplit(service.url)
    assert parts.port is not None
    target = Target("127.0.0.1", parts.port, False, "demo")
    crowd = Crowd(target, [*loopback_sources(READERS)], lambda: None, lambda *_: None)
    with Meter(service.store_url) as meter:
        before = meter.read()
        await service.shows("demo", "", lambda said: said["online"] == 0)
        idle = meter.read()
        await crowd.gather(READERS)
        storm = meter.read().since(idle)
    assert crowd.connected == READERS
    rate = idle.since(before).sent / idle.since(before).seconds
    assert storm.sent < READERS / 4 + (rate + BEATS) * storm.seconds
    await service.shows("demo", "", lambda said: said["online"] == READERS)
    await crowd.disperse()
