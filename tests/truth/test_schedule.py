"""What is drawn from a seed makes sense, whatever the seed."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.truth.history import STORE
from tests.truth.schedule import BUSY_SECONDS, LULL_SECONDS, TABS, Plan, schedule

plans = st.builds(
    Plan,
    seed=st.integers(0, 10**9),
    seconds=st.floats(1, 60),
    readers=st.integers(1, 12),
    workers=st.integers(1, 4),
)


@given(plans)
@settings(max_examples=50)
def test_the_same_seed_gives_the_same_schedule(plan: Plan) -> None:
    assert schedule(plan) == schedule(plan)


@given(plans)
@settings(max_examples=50)
def test_tabs_open_before_anything_is_done_with_them_and_end_once(plan: Plan) -> None:
    open_now: dict[int, dict[int, int]] = {}
    known: Counter[int] = Counter()
    for act in schedule(plan):
        assert 0 <= act.at <= plan.seconds
        if act.reader < 0:
            continue
        # With the tab whose connection each has: its own, or another's.
        tabs = open_now.setdefault(act.reader, {})
        if act.kind in ("open", "share"):
            assert act.tab == known[act.reader]
            known[act.reader] += 1
            assert act.kind == "open" or tabs[act.host] == act.host
            tabs[act.tab] = act.host if act.kind == "share" else act.tab
            assert len(tabs) <= TABS
            continue
        assert act.tab in tabs
        if act.kind == "gone":
            assert tabs.pop(act.tab) != act.tab
        elif act.kind in ("close", "abort", "vanish", "reload"):
            assert tabs[act.tab] == act.tab
            open_now[act.reader] = {
                tab: host for tab, host in tabs.items() if host != act.tab or (act.kind == "reload" and tab == act.tab)
            }
        assert 0 <= act.worker < plan.workers


@given(plans)
@settings(max_examples=50)
def test_faults_come_one_at_a_time_and_are_over_before_the_end(plan: Plan) -> None:
    over = 0.0
    for act in schedule(plan):
        if act.reader >= 0:
            continue
        lasts = 0.0 if act.kind == "clock" else act.seconds
        assert act.at >= over
        over = act.at + lasts
        assert over <= plan.seconds
        assert (act.worker == STORE) == (act.kind in ("stop", "empty", "hang"))


def test_a_long_run_has_every_kind_of_act_and_fault() -> None:
    plan = Plan(seed=1, seconds=120, readers=50, workers=3)
    kinds = Counter(act.kind for act in schedule(plan))
    assert {"open", "share", "move", "turn", "close", "gone", "reload", "abort", "vanish", *plan.faults} == kinds.keys()


def test_other_readers_do_not_change_what_one_does() -> None:
    few = schedule(Plan(seed=3, seconds=30, readers=5, workers=2))
    many = schedule(Plan(seed=3, seconds=30, readers=9, workers=2))
    assert [act for act in few if act.reader == 4] == [act for act in many if act.reader == 4]


@given(plans)
@settings(max_examples=50)
def test_nothing_begins_in_a_lull(plan: Plan) -> None:
    assert all(act.at % (BUSY_SECONDS + LULL_SECONDS) <= BUSY_SECONDS for act in schedule(plan))
