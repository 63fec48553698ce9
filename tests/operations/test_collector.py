from __future__ import annotations

import gc

from operations.collector import CollectorPauses


def test_measures_each_collection_until_it_is_stopped() -> None:
    pauses = CollectorPauses()
    pauses.start()
    try:
        before = sum(pauses.histogram.counts)
        gc.collect()
        gc.collect()
        assert sum(pauses.histogram.counts) >= before + 2
        assert pauses.histogram.seconds > 0
    finally:
        pauses.stop()
    counted = sum(pauses.histogram.counts)
    gc.collect()
    assert sum(pauses.histogram.counts) == counted
    pauses.stop()
