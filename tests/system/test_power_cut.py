"""After a power cut the number is right as soon as everybody who can be back is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service import Service
from tests.system.follower import Follower


async def test_who_does_not_come_back_is_not_counted_for_a_whole_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new run gives the leases of the old one as long as they were told to wait, however long they would last."""
    for name, seconds in (("RENEW", 10), ("LEASE", 300), ("GRACE", 12)):
        monkeypatch.setenv(f"LOA_PRESENCE_{name}_SECONDS", str(seconds))
    with Service(tmp_path, 0) as service:
        async with Follower(service.url, "demo") as stays:
            async with Follower(service.url, "demo"):
                await stays.until(lambda: stays.online == 2)
                service.kill()
            service.start()
            await stays.until(lambda: len(stays.greetings) > 1)
            # Some five seconds; and, however busy the machine, well before a lease is over.
            await stays.until(lambda: stays.online == 1)
