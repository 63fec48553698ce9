"""Readers held by the product's own code, in a real store."""

from __future__ import annotations

import pytest

from benchmarks.held import SITE, held
from benchmarks.usage import Meter
from presence.ledger import Ledger
from presence.settings import PresenceSettings

READERS = 300


async def test_leases_of_several_workers_are_written_counted_and_metered(
    valkey_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.held.PREFIX", prefix)
    monkeypatch.setattr("benchmarks.held.WORKER_SESSIONS", 100)
    settings = PresenceSettings(count_seconds=0.1, batch_ms=10)
    with Meter(valkey_url) as meter:
        before = meter.read()
        async with held(valkey_url, settings, READERS) as site:
            await site.start()
            assert len(site.workers) == 3
            assert site.renewed >= READERS
            assert await site.read(0.1, views_per_second=500) == 50
            await site.stop()
            assert (await Ledger(site.workers[0].redis, prefix).count(SITE)).online == READERS
        used = meter.read().since(before)
    assert used.sent > 0
    # Each lease is one of several in a command that a script gave.
    assert used.inside > used.sent
    assert used.cpu_seconds > 0
    assert used.memory_bytes > 0


def test_the_meter_leaves_its_own_questions_out(valkey_url: str) -> None:
    with Meter(valkey_url) as meter:
        before = meter.read()
        used = meter.read().since(before)
    assert (used.sent, used.inside) == (0, 0)
    assert meter.scripts().calls >= 0
