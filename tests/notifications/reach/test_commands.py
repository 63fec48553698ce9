from __future__ import annotations

from notifications.reach.commands import line, text
from notifications.reach.sums import Readers, Sums, reach
from tests.notifications.making import NOW_MS, announcement


def test_people_read_whom_it_reached() -> None:
    sums = Sums(connected=10_000, received=9_998, greeted=12)
    for after_ms in (40, 40, 40, 2_000):
        sums.rendered(after_ms)
    found = reach(announcement(), [{1: sums}], Readers(1, 2_000, 3), NOW_MS)
    assert text(found).splitlines() == [
        "connections  10,000 open when revision 1 was sent",
        "written to   9,998; 12 opened later",
        "seen by      1 reader",
        "clicked      2,000",
        "dismissed    3",
        "seen within  40 ms by half, 2.1 s by 99 of 100",
    ]
    assert line(found).split("  ")[1:5] == ["received 9,998", "seen 1", "clicked 2,000", "dismissed 3"]


def test_of_what_nobody_has_seen_there_is_no_time() -> None:
    assert "– by half, – by 99 of 100" in text(reach(announcement(), [], Readers(), NOW_MS))
