"""Views and visits on their way to the store, whatever happens to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from presence.history.tally import KEEP_SECONDS, MOST_READERS, Batch, Tally

TODAY, TOMORROW = "2026-11-26", "2026-11-27"


def as_they_are(day: str, readers: list[bytes]) -> list[bytes]:
    return readers


class Store:
    """What ``lua/apply.lua`` does, and what may happen to a store."""

    def __init__(self) -> None:
        self.views = dict[str, int]()
        self.readers = dict[str, set[bytes]]()
        self.last = 0
        self._written = [(self.views, self.readers, self.last)]

    def apply(self, batch: Batch, forced: bool) -> int:
        if batch.number <= self.last or (batch.number != self.last + 1 and not forced):
            return self.last
        self.last = batch.number
        self.views = {**self.views, batch.day: self.views.get(batch.day, 0) + batch.views}
        self.readers = {**self.readers, batch.day: self.readers.get(batch.day, set()) | {*batch.names}}
        self._written.append((self.views, self.readers, self.last))
        return self.last

    def lose(self, batches: int) -> None:
        """The last few of what it had acknowledged, as in a power cut."""
        self._written = self._written[: max(1, len(self._written) - batches)]
        self.views, self.readers, self.last = self._written[-1]


def write(tally: Tally, store: Store, now: float = 0.0, *, answers: bool = True, arrives: bool = True) -> None:
    """As the recorder does."""
    forced = False
    while (batch := tally.next(as_they_are)) is not None:
        last = store.apply(batch, forced) if arrives else 0
        if not answers or not arrives:
            return
        if last >= batch.number:
            tally.done(now)
            forced = False
        else:
            forced = not tally.rewind(last, now)


def test_nothing_seen_is_nothing_to_tell() -> None:
    tally = Tally()
    tally.close(TODAY)
    assert tally.next(as_they_are) is None
    assert tally.idle


def test_views_are_added_up_and_readers_named_once() -> None:
    tally, store = Tally(), Store()
    for reader, viewed in ((b"a", True), (b"a", True), (b"b", False)):
        tally.seen(reader, viewed)
    assert not tally.idle
    tally.close(TODAY)
    write(tally, store)
    assert (store.views, store.readers) == ({TODAY: 2}, {TODAY: {b"a", b"b"}})
    assert tally.idle
    assert tally.views == 2


def test_each_goes_to_the_day_it_was_seen_on_and_whoever_stays_to_both() -> None:
    tally, store = Tally(), Store()
    tally.seen(b"a", True)
    tally.close(TODAY)
    tally.seen(b"b", True)
    tally.close(TOMORROW, held=[b"a"])
    write(tally, store)
    assert store.views == {TODAY: 1, TOMORROW: 1}
    assert store.readers == {TODAY: {b"a"}, TOMORROW: {b"a", b"b"}}


def test_what_is_in_doubt_is_sent_again_as_it_was() -> None:
    tally = Tally()
    tally.seen(b"a", True)
    tally.close(TODAY)
    sent = tally.next(as_they_are)
    tally.seen(b"b", True)
    tally.close(TODAY)
    assert tally.next(as_they_are) == sent == Batch(1, TODAY, 1, (b"a",))
    tally.done(0.0)
    assert tally.next(as_they_are) == Batch(2, TODAY, 1, (b"b",))


def test_more_readers_than_one_command_takes_go_in_several() -> None:
    tally, store = Tally(), Store()
    for number in range(2 * MOST_READERS + 1):
        tally.seen(b"%d" % number, True)
    tally.close(TODAY)
    write(tally, store)
    assert store.last == 3
    assert store.views == {TODAY: 2 * MOST_READERS + 1}
    assert len(store.readers[TODAY]) == 2 * MOST_READERS + 1


def test_what_was_acknowledged_long_ago_is_kept_no_more() -> None:
    tally, store = Tally(), Store()
    for now in (0.0, 1.0, KEEP_SECONDS + 0.5):
        tally.seen(b"a", True)
        tally.close(TODAY)
        write(tally, store, now)
    # The store has lost everything, all that is kept comes back, and the numbers go on from there.
    store.lose(3)
    tally.seen(b"a", True)
    tally.close(TODAY)
    write(tally, store, KEEP_SECONDS + 0.5)
    assert store.views == {TODAY: 3}
    assert store.last == 4


def test_a_number_the_store_has_forgotten_is_no_loss() -> None:
    """Nobody came for so long that Redis keeps the number of the last batch no more; what it counted is there."""
    tally, store = Tally(), Store()
    tally.seen(b"a", True)
    tally.close(TODAY)
    write(tally, store)
    store.last = 0
    tally.seen(b"a", True)
    tally.close(TODAY)
    write(tally, store, 7 * 86_400.0)
    assert store.views == {TODAY: 2}


event = st.one_of(
    st.tuples(st.just("seen"), st.sampled_from([b"a", b"b", b"c", b"d"]), st.booleans()),
    st.tuples(st.just("midnight")),
    st.tuples(st.just("write")),
    st.tuples(st.just("no answer"), st.booleans()),
    st.tuples(st.just("lose"), st.integers(1, 4)),
)


@given(st.lists(event, max_size=40))
def test_every_view_counts_exactly_once_whatever_the_store_does(events: list[tuple[object, ...]]) -> None:
    """Answers that get lost, commands that get lost, and a store that loses the end of what it had."""
    tally, store = Tally(), Store()
    views, readers = dict[str, int](), dict[str, set[bytes]]()
    days = [f"2026-11-{day:02}" for day in range(1, 31)]
    day = days.pop(0)
    for what, *more in events:
        match what, more:
            case "seen", [bytes() as reader, bool() as viewed]:
                tally.seen(reader, viewed)
                tally.close(day)
                views[day] = views.get(day, 0) + viewed
                readers.setdefault(day, set()).add(reader)
            case "midnight", _ if days:
                day = days.pop(0)
            case "write", _:
                write(tally, store)
            case "no answer", [bool() as arrives]:
                write(tally, store, answers=False, arrives=arrives)
            case "lose", [int() as batches]:
                store.lose(batches)
    # The next that is told makes it whole: until then nobody has asked.
    tally.seen(b"z", True)
    tally.close(day)
    views[day] = views.get(day, 0) + 1
    readers.setdefault(day, set()).add(b"z")
    write(tally, store)
    assert store.views == views
    assert store.readers == readers
    assert tally.idle
