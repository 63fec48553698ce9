"""Many editors at once, requests repeated, the store killed: `python -m tests.torture` in small."""

from __future__ import annotations

from tests.torture.run import Plan, run


async def test_nothing_is_lost_nothing_comes_twice_and_everybody_sees_the_same() -> None:
    result = await run(Plan(count=150))
    assert list(result.wrong) == []
    assert result.restarts >= 2
    # Each fifth was updated, each seventh recalled.
    assert result.versions == 150 + 30 + 22
    assert result.live == 150 - 22
    assert result.replayed >= 30
