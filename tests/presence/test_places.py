"""Places: as many as are allowed, however many a browser makes up."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from presence.places import Place, Places


def test_a_place_is_one_however_many_come() -> None:
    places = Places(10, 10)
    first = places.enter("page", "/1", "a")
    assert first is not None
    assert places.enter("page", "/1", "b") is first
    assert first.readers == 2
    assert places.enter("section", "/1", "a") is not first
    assert len(places) == 2


def test_nowhere_is_no_place() -> None:
    places = Places(10, 10)
    assert places.enter("page", "", "a") is None
    assert (len(places), places.refused) == (0, 0)


def test_no_more_than_so_many_are_kept() -> None:
    places = Places(3, 10)
    assert [places.enter("page", f"/{number}", "") is not None for number in range(5)] == [True] * 3 + [False] * 2
    assert places.refused == 2
    # Those that are kept take anybody.
    assert places.enter("page", "/0", "z") is not None


def test_no_more_than_so_many_come_up_from_one_address() -> None:
    places = Places(100, 2)
    assert [places.enter("page", f"/{number}", "a") is not None for number in range(3)] == [True, True, False]
    assert places.enter("page", "/2", "b") is not None
    assert places.enter("page", "/2", "a") is not None, "somebody else's place is open to all"
    assert all(places.enter("page", f"/x{number}", "") for number in range(10)), "exempt from limits"


def test_an_empty_place_is_kept_while_it_may_have_leases() -> None:
    places = Places(1, 1)
    place = places.enter("page", "/1", "a")
    assert place is not None
    places.leave(place, 10.0)
    places.forget(9.9)
    assert places.enter("page", "/2", "b") is None
    assert places.enter("page", "/1", "b") is place
    places.leave(place, 20.0)
    places.forget(15.0)
    assert places.get("page", "/1") is place, "it was not empty all the time"
    places.forget(20.0)
    assert places.enter("page", "/2", "a") is not None, "the address has its share back"


def test_the_number_of_a_place_is_never_below_those_who_are_here() -> None:
    place = Place("page", "/1", "", readers=3)
    assert place.shown is None
    place.online = 2
    assert place.shown == 3
    place.online = 8
    assert place.shown == 8


def test_watched_places_take_turns() -> None:
    places = Places(10, 10)
    watched = [place for number in range(5) if (place := places.enter("page", f"/{number}", ""))]
    for place in watched:
        places.watch(place)
    turns = [places.to_count(2) for _ in range(5)]
    assert [len(turn) for turn in turns] == [2] * 5
    assert sorted(place.name for turn in turns for place in turn) == sorted(2 * [place.name for place in watched])
    assert places.to_count(10) == [*places.watched]


def test_what_nobody_watches_is_not_known() -> None:
    places = Places(10, 10)
    place = places.enter("page", "/1", "")
    assert place is not None
    places.watch(place)
    places.watch(place)
    place.online = place.pushed = 5
    places.unwatch(place)
    assert (place.online, places.watchers, [*places.watched]) == (5, 1, [place])
    places.unwatch(place)
    assert (place.online, place.pushed, places.watchers, [*places.watched]) == (None, None, 0, [])


class Wandering(RuleBasedStateMachine):
    """Browsers run through made-up pages; nothing grows beyond what is allowed, and nothing is left behind."""

    def __init__(self) -> None:
        super().__init__()
        self.places = Places(6, 3)
        self.now = 0.0
        self.here: list[Place] = []

    @rule(name=st.integers(0, 12), address=st.sampled_from(["", "a", "b"]))
    def come(self, name: int, address: str) -> None:
        place = self.places.enter("page", f"/{name}", address)
        if place is not None:
            self.here.append(place)

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 1000), passed=st.floats(0, 3))
    def go(self, which: int, passed: float) -> None:
        self.now += passed
        self.places.leave(self.here.pop(which % len(self.here)), self.now)

    @rule(passed=st.floats(0, 30))
    def wait(self, passed: float) -> None:
        self.now += passed
        self.places.forget(self.now - 10)

    @invariant()
    def it_is_bounded_and_true(self) -> None:
        assert len(self.places) <= 6
        for place in self.places:
            assert place.readers == sum(other is place for other in self.here)
        kept = {*map(id, self.places)}
        assert {*map(id, self.here)} <= kept
        for address in ("a", "b"):
            assert sum(place.opened_by == address for place in self.places) <= 3

    @rule()
    def all_go(self) -> None:
        while self.here:
            self.places.leave(self.here.pop(), self.now)
        self.places.forget(self.now)
        assert len(self.places) == 0
        assert not self.places._opened
        assert not self.places._empty


TestWandering = Wandering.TestCase
TestWandering.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
