"""What the service tells its operators: the page `/metrics`, over all workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.patience import PATIENCE_SECONDS
from tests.service import Service

_PAUSE_SECONDS = 0.05


class Metrics:
    """The page as it was once."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = list(samples)

    def total(self, name: str, **labels: str) -> float:
        """The sum of all series of this name with these labels; 0 where there is none."""
        return sum(sample.value for sample in self._series(name, labels))

    def by_worker(self, name: str, **labels: str) -> dict[int, float]:
        """The same, apart for each worker."""
        found: dict[int, float] = {}
        for sample in self._series(name, labels):
            worker = int(sample.labels["worker"])
            found[worker] = found.get(worker, 0.0) + sample.value
        return found

    def _series(self, name: str, labels: dict[str, str]) -> Iterator[Sample]:
        return (one for one in self._samples if one.name == name and labels.items() <= one.labels.items())


async def metrics(service: Service, holds: Callable[[Metrics], bool]) -> Metrics:
    """The page, once `holds`: a worker that is busy for a second is told of as it last was."""
    async with aiohttp.ClientSession() as client:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    async with client.get(f"{service.ops_url}/metrics") as answer:
                        text = await answer.text()
                    families = text_string_to_metric_families(text)
                    found = Metrics(sample for family in families for sample in family.samples)
                    if holds(found):
                        return found
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE_SECONDS} s; the last was:\n{text}") from None
