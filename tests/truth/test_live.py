"""A real service, small and short: every number of it is as promised while a worker and the store are killed.

`python -m tests.truth` and `make soak` are the same, larger and longer. On a busy machine what was not given time is
measured and waited for; nothing here depends on how fast it is.
"""

from __future__ import annotations

import pytest

from tests.truth.run import run
from tests.truth.schedule import Plan, schedule

PLAN = Plan(seed=1, seconds=8.0, readers=40, workers=2, faults=("kill", "stop"), gap=0.5)


@pytest.mark.slow
async def test_every_number_is_as_promised_and_exact_in_the_end() -> None:
    assert {"kill", "stop"} <= {act.kind for act in schedule(PLAN)}
    result = await run(PLAN)
    assert [violation.told(result.history.began) for violation in result.verdict.violations] == []
    assert result.unsettled == ()
    assert {fault.kind for fault in result.history.faults} == {"kill", "stop"}
    # It has looked: at every kind of number, often, also where only one value was right.
    assert result.verdict.errors.keys() == {"site", "section", "page", "state"}
    assert result.verdict.judged > 500
    assert result.verdict.settled > 50
