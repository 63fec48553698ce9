from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from notifications.announcement import Announcement
from notifications.lifecycle import state_at
from notifications.merge import merge
from notifications.view import CATCH_UP, NEVER_MS, REMEMBERED, Difference, Snapshot, View
from tests.notifications.making import NOW_MS, History, announcement


def snapshot(history: History, now_ms: int = NOW_MS, recent: int = REMEMBERED) -> Snapshot:
    """What the store would answer."""
    newest = merge({}, [entry.announcement for entry in history.entries if entry.announcement is not None])
    active = [one for one in newest.values() if state_at(one, now_ms) == "live"]
    return Snapshot(history.head(now_ms), active, history.entries[-recent:] if recent else [])


def missed(view: View, cursor: str) -> list[Announcement] | None:
    """What a browser with `cursor` is told; None if it is told everything."""
    version = view.version_at(cursor)
    return None if version is None else view.changed_after(version)


def viewing(history: History) -> View:
    view = View()
    view.replace(snapshot(history))
    return view


def test_follows_an_unbroken_history() -> None:
    history = History()
    view = viewing(history)
    (told,) = view.follow(history.write(announcement("a"))) or []
    assert told.announcement.id == "a"
    assert told.cursor == f"{history.chain[:8]}.1"
    assert set(view.active) == {"a"}
    assert view.agrees(history.head())
    view.follow(history.write(announcement("a", 2, status="recalled")))
    assert not view.active
    assert view.next_expiry_ms == NEVER_MS


def test_refuses_a_gap() -> None:
    history = History()
    view = viewing(history)
    history.write(announcement("a"))
    assert view.follow(history.write(announcement("b"))) is None
    assert not view.agrees(history.head())


def test_refuses_a_forked_history() -> None:
    ours, other = History(), History()
    view = viewing(ours)
    view.follow(ours.write(announcement("a")))
    other.write(announcement("b"))
    assert view.follow(other.write(announcement("c"))) is None
    assert not view.agrees(other.head())


def test_passes_over_what_it_does_not_understand() -> None:
    history = History()
    view = viewing(history)
    newer = history.write(announcement("a"))
    assert view.follow(newer._replace(announcement=None, payload=b"{}")) == []
    assert view.follow(history.write(announcement("b"))) is not None


def test_of_the_first_snapshot_only_the_latest_are_deliveries() -> None:
    history = History()
    for number in range(CATCH_UP + 10):
        history.write(announcement(f"a{number}"))
    versions = [told.version for told in View().replace(snapshot(history))]
    assert versions == [None] * 10 + list(range(11, CATCH_UP + 11))


def test_a_snapshot_tells_the_difference_only() -> None:
    history = History()
    view = viewing(history)
    view.follow(history.write(announcement("kept")))
    view.follow(history.write(announcement("changed")))
    view.follow(history.write(announcement("recalled")))
    before = view.position
    history.write(announcement("changed", 2))
    history.write(announcement("recalled", 2, status="recalled"))
    history.write(announcement("new"))
    told = view.replace(snapshot(history))
    assert [(one.announcement.id, one.announcement.status) for one in told] == [
        ("changed", "live"),
        ("recalled", "recalled"),
        ("new", "live"),
    ]
    assert before is not None and view.position is not None
    # Whoever hears only some of them must come back for the others.
    assert [one.cursor for one in told] == [before.cursor, before.cursor, view.position.cursor]


def test_what_the_store_has_lost_is_taken_away() -> None:
    history = History()
    view = viewing(history)
    view.follow(history.write(announcement("lost")))
    view.follow(history.write(announcement("over", expires_ms=NOW_MS + 1)))
    after_loss = History("00000000")
    (told,) = view.replace(snapshot(after_loss, NOW_MS + 1))
    assert (told.announcement.id, told.announcement.revision, told.announcement.status) == ("lost", 1, "recalled")
    assert told.version is None
    assert view.version_at(f"{history.chain[:8]}.2") is None


def test_what_was_published_and_recalled_meanwhile_is_taken_from_who_heard_it_elsewhere() -> None:
    history = History()
    view = viewing(history)
    history.write(announcement("a"))
    history.write(announcement("over", expires_ms=NOW_MS))
    history.write(announcement("a", 2, status="recalled"))
    history.write(announcement("over", 2, status="recalled", expires_ms=NOW_MS))
    told = view.replace(snapshot(history))
    assert [(one.announcement.id, one.announcement.status, one.version) for one in told] == [("a", "recalled", 3)]
    assert view.replace(snapshot(history)) == []


def test_tells_only_what_was_missed() -> None:
    history = History()
    view = viewing(history)
    empty = f"{history.chain[:8]}.0"
    view.follow(history.write(announcement("a")))
    first = view.position
    view.follow(history.write(announcement("b")))
    view.follow(history.write(announcement("a", 2, status="recalled")))
    assert first is not None
    assert view.version_at(first.cursor) == 1
    assert {(one.id, one.status) for one in missed(view, first.cursor) or []} == {("b", "live"), ("a", "recalled")}
    assert missed(view, empty) is not None
    assert missed(view, f"{history.chain[:8]}.3") == []


def test_a_worker_that_starts_knows_the_past() -> None:
    history = History()
    cursors = [f"{history.chain[:8]}.0"]
    for number in range(5):
        cursors.append(f"{history.write(announcement(f'a{number}')).chain[:8]}.{number + 1}")
    view = viewing(history)
    for version, cursor in enumerate(cursors):
        assert [one.id for one in missed(view, cursor) or []] == [f"a{n}" for n in range(version, 5)]


def test_does_not_catch_up_for_ever() -> None:
    history = History()
    view = viewing(history)
    cursors = []
    for number in range(REMEMBERED + CATCH_UP):
        view.follow(history.write(announcement(f"a{number}")))
        cursors.append(f"{history.chain[:8]}.{number + 1}")
    known = [cursor for cursor in cursors if view.version_at(cursor) is not None]
    assert known == cursors[-CATCH_UP - 1 :]


def test_a_snapshot_whose_entries_have_a_gap_is_not_built_upon() -> None:
    history = History()
    for number in range(4):
        history.write(announcement(f"a{number}"))
    whole = snapshot(history)
    view = View()
    view.replace(whole._replace(recent=[whole.recent[0], *whole.recent[2:]]))
    assert view.version_at(f"{whole.recent[0].chain[:8]}.1") is None
    assert view.version_at(f"{whole.recent[2].chain[:8]}.3") is not None


@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9a-f]{8}\.[0-9]{1,20}", fullmatch=True)
    | st.sampled_from([".", "1", "９f2c41d0.1", "9f2c41d0.01", "9f2c41d0.-1", "9F2C41D0.1", "9f2c41d0.1\n"])
)
def test_a_forged_cursor_is_of_no_history(cursor: str) -> None:
    history = History()
    view = viewing(history)
    for number in range(3):
        view.follow(history.write(announcement(f"a{number}")))
    genuine = {f"{entry.chain[:8]}.{entry.version}" for entry in history.entries}
    assert cursor in genuine or view.version_at(cursor) is None


def test_forgets_what_has_expired_in_time() -> None:
    history = History()
    view = viewing(history)
    view.follow(history.write(announcement("soon", expires_ms=NOW_MS + 10)))
    view.follow(history.write(announcement("later", expires_ms=NOW_MS + 20)))
    assert view.next_expiry_ms == NOW_MS + 10
    assert not view.expire(NOW_MS + 9)
    assert view.expire(NOW_MS + 10)
    assert set(view.active) == {"later"}


class Browsers(RuleBasedStateMachine):
    """However a worker hears of the log, browsers that follow, come late or come back see what is true."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.view = viewing(self.history)
        self.heard = 0
        assert self.view.position is not None
        self.connected: dict[str, Announcement] = {}
        self.cursor = self.view.position.cursor

    @property
    def truth(self) -> dict[str, Announcement]:
        return merge({}, [entry.announcement for entry in self.history.entries if entry.announcement is not None])

    @rule(id=st.sampled_from("abc"))
    def publish_or_update(self, id: str) -> None:
        current = self.truth.get(id)
        if current is None or current.status == "live":
            self.history.write(announcement(id, current.revision + 1 if current else 1))

    @rule(id=st.sampled_from("abc"))
    def recall(self, id: str) -> None:
        current = self.truth.get(id)
        if current is not None and current.status == "live":
            self.history.write(msgspec.structs.replace(current, revision=current.revision + 1, status="recalled"))

    @rule()
    def follow(self) -> None:
        for entry in self.history.entries[self.heard :]:
            differences = self.view.follow(entry)
            assert differences is not None
            self.hear(differences)
        self.heard = len(self.history.entries)

    @rule(recent=st.sampled_from([0, 1, 2, REMEMBERED]))
    def snapshot(self, recent: int) -> None:
        self.hear(self.view.replace(snapshot(self.history, recent=recent)))
        self.heard = len(self.history.entries)

    def hear(self, differences: list[Difference]) -> None:
        for told in differences:
            self.connected = merge(self.connected, [told.announcement])
            self.cursor = told.cursor

    @invariant()
    def all_see_the_same(self) -> None:
        shown = {id: one.revision for id, one in self.connected.items() if one.status == "live"}
        assert shown == {id: one.revision for id, one in self.view.active.items()}

    @invariant()
    def a_browser_that_comes_back_misses_nothing(self) -> None:
        changes = missed(self.view, self.cursor)
        if changes is not None:
            after = merge(self.connected, changes)
            assert {id for id, one in after.items() if one.status == "live"} == set(self.view.active)


class Roaming(RuleBasedStateMachine):
    """A browser goes between a worker that follows and one that is cut off; then all is true there too."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.following, self.cut_off = viewing(self.history), viewing(self.history)
        self.here = self.following
        self.connected: dict[str, Announcement] = {}
        self.cursor = ""
        self.come()

    @property
    def truth(self) -> dict[str, Announcement]:
        return merge({}, [entry.announcement for entry in self.history.entries if entry.announcement is not None])

    @rule(id=st.sampled_from("ab"), status=st.sampled_from(["live", "recalled"]))
    def write(self, id: str, status: Literal["live", "recalled"]) -> None:
        current = self.truth.get(id)
        if current is None:
            entry = self.history.write(announcement(id))
        elif current.status == "live":
            entry = self.history.write(msgspec.structs.replace(current, revision=current.revision + 1, status=status))
        else:
            return
        self.hear(self.following, self.following.follow(entry) or [])

    @rule()
    def reconnect(self) -> None:
        self.hear(self.cut_off, self.cut_off.replace(snapshot(self.history)))
        if self.here is self.cut_off:
            self.sees_the_truth()

    @rule()
    def move(self) -> None:
        self.here = self.cut_off if self.here is self.following else self.following
        self.come()

    @invariant()
    def is_right_at_a_worker_that_follows(self) -> None:
        if self.here is self.following:
            self.sees_the_truth()

    def come(self) -> None:
        view = self.here
        assert view.position is not None
        changes = missed(view, self.cursor)
        if changes is None:
            changes = list(view.active.values())
            # One that is cut off knows that it is, and takes nothing away.
            if view is self.following:
                self.connected = {id: one for id, one in self.connected.items() if id in view.active}
        self.connected = merge(self.connected, changes)
        self.cursor = view.position.cursor

    def hear(self, view: View, differences: list[Difference]) -> None:
        for told in differences if view is self.here else []:
            self.connected = merge(self.connected, [told.announcement])
            self.cursor = told.cursor

    def sees_the_truth(self) -> None:
        live = {id: one.revision for id, one in self.truth.items() if one.status == "live"}
        assert {id: one.revision for id, one in self.connected.items() if one.status == "live"} == live


TestBrowsers = pytest.mark.slow(Browsers.TestCase)
TestBrowsers.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestRoaming = pytest.mark.slow(Roaming.TestCase)
TestRoaming.settings = settings(max_examples=200, stateful_step_count=12, deadline=None)


def test_what_was_recalled_is_current_until_it_would_have_run_out() -> None:
    history = History()
    view = viewing(history)
    view.follow(history.write(announcement("a", updated_ms=NOW_MS)))
    view.follow(history.write(announcement("b", updated_ms=NOW_MS + 1)))
    view.follow(history.write(announcement("a", 2, status="recalled", updated_ms=NOW_MS + 2)))
    assert [(one.id, one.status) for one in view.current(NOW_MS + 3)] == [("a", "recalled"), ("b", "live")]
    assert view.current(announcement("a").expires_ms) == []


def test_knows_the_revisions_it_has_heard_of() -> None:
    history = History()
    view = viewing(history)
    for one in (announcement("a"), announcement("b"), announcement("a", 2)):
        view.follow(history.write(one))
    assert {id: [one.revision for one in told] for id, told in view.revisions().items()} == {"a": [1, 2], "b": [1]}
    # One that comes later has heard of the same.
    assert viewing(history).revisions() == view.revisions()
