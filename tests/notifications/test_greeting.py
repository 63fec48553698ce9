"""Who was greeted with what is counted, for the reach of announcements."""

from __future__ import annotations

from notifications.greeting import Greetings
from notifications.view import Snapshot, View
from tests.notifications.making import History, announcement


def test_greetings_are_counted_by_announcement_also_across_a_change() -> None:
    history, view = History(), View()
    live = history.write(announcement("a"))
    gone = history.write(announcement("b", 2, status="recalled"))
    view.replace(Snapshot(history.head(), [announcement("a")], [live, gone]))
    greetings = Greetings(view)
    for _ in range(3):
        greetings.members("demo", "", True)
    greetings.members("elsewhere", "", True)
    assert view.position is not None
    # Who has heard all that there is was told of nothing.
    greetings.members("demo", view.position.cursor, True)
    view.follow(history.write(announcement("c")))
    greetings.forget()
    greetings.members("demo", "", True)
    assert greetings.take_greeted() == {("a", 1): 4, ("c", 1): 1}
    assert greetings.take_greeted() == {}


def test_who_catches_up_is_counted_with_what_is_new_to_them_and_live() -> None:
    history, view = History(), View()
    entries = [history.write(announcement("a"))]
    view.replace(Snapshot(history.head(), [announcement("a")], entries))
    assert view.position is not None
    since = view.position.cursor
    view.follow(history.write(announcement("a", 2, status="recalled")))
    view.follow(history.write(announcement("b")))
    greetings = Greetings(view)
    greetings.members("demo", since, True)
    assert greetings.take_greeted() == {("b", 1): 1}
