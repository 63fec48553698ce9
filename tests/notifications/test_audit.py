from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.audit import BEGINNING, Line, Verifier, chained, exported, imported, members
from tests.notifications.making import by


def trail(entries: int) -> list[Line]:
    """As the store would have written it."""
    lines: list[Line] = []
    chain = BEGINNING
    for seq in range(1, entries + 1):
        entry = b'{"seq":%d,"at_ms":%d,%b,"id":"a%d"}' % (seq, seq, members("publish", by("t")), seq)
        chain = chained(chain, entry)
        lines.append(Line(entry, chain))
    return lines


def fault_of(lines: list[Line], last: tuple[int, str] | None = None) -> str | None:
    """What is found wrong first."""
    verifier = Verifier()
    for line in lines:
        fault = verifier.take(line)
        if fault is not None:
            return fault.why
    fault = verifier.finish(last) if last is not None else None
    return fault.why if fault is not None else None


@given(st.integers(0, 8))
def test_what_was_written_is_in_order(entries: int) -> None:
    lines = trail(entries)
    assert fault_of(lines, (entries, lines[-1].chain if lines else BEGINNING)) is None


@given(st.integers(1, 8), st.data())
def test_a_changed_byte_is_found(entries: int, draw: st.DataObject) -> None:
    lines = trail(entries)
    at = draw.draw(st.integers(0, entries - 1))
    entry = lines[at].entry.replace(b'"id":"a', b'"id":"b')
    lines[at] = lines[at]._replace(entry=entry)
    assert fault_of(lines) == f"entry {at + 1} is not what was written, or its hash is not"


@given(st.integers(1, 4), st.data())
def test_any_other_byte_is_found(entries: int, draw: st.DataObject) -> None:
    """Also one with which it is no UTF-8, or no JSON, any more."""
    lines = trail(entries)
    at = draw.draw(st.integers(0, entries - 1))
    entry = bytearray(lines[at].entry)
    place = draw.draw(st.integers(0, len(entry) - 1))
    entry[place] = draw.draw(st.sampled_from([byte for byte in (0xFF, 0x22, 0x7B, 0x30) if byte != entry[place]]))
    lines[at] = lines[at]._replace(entry=bytes(entry))
    assert fault_of(lines) is not None


@given(st.integers(2, 8), st.data())
def test_a_removed_one_is_found(entries: int, draw: st.DataObject) -> None:
    lines = trail(entries)
    last = (entries, lines[-1].chain)
    at = draw.draw(st.integers(0, entries - 1))
    del lines[at]
    end = " at the end" if at == entries - 1 else ""
    assert fault_of(lines, last) == f"entry {at + 1} is missing{end}"


@given(st.integers(2, 8), st.data())
def test_another_order_is_found(entries: int, draw: st.DataObject) -> None:
    lines = trail(entries)
    one, other = sorted(draw.draw(st.sets(st.integers(0, entries - 1), min_size=2, max_size=2)))
    lines[one], lines[other] = lines[other], lines[one]
    assert fault_of(lines) is not None


def test_one_that_was_put_in_is_found() -> None:
    lines = trail(3)
    assert fault_of([*lines[:2], lines[1], *lines[2:]]) == "entry 3 is not there; entry 2 stands in its place"


def test_a_trail_that_was_written_anew_ends_otherwise() -> None:
    lines = trail(3)
    entry = lines[2].entry.replace(b"a3", b"b3")
    lines[2] = Line(entry, chained(lines[1].chain, entry))
    assert fault_of(lines) is None
    assert fault_of(lines, (3, trail(3)[2].chain)) == (
        "the trail ends with entry 3, which is not the last that was written"
    )


def test_several_that_are_missing_are_named() -> None:
    lines = trail(6)
    assert fault_of([lines[0], *lines[3:]]) == "entries 2 to 3 are missing"
    assert fault_of(lines[:3], (6, lines[5].chain)) == "entries 4 to 6 are missing at the end"


@pytest.mark.parametrize("entry", [b"", b"{}", b'{"seq":"x"}', b"\xff"])
def test_what_cannot_be_read_is_a_fault(entry: bytes) -> None:
    assert (fault_of([Line(entry, "")]) or "").startswith("entry 1 cannot be read")


def test_an_exported_line_is_the_same_bytes_again() -> None:
    (line,) = trail(1)
    assert imported(exported(line)) == line
    assert msgspec.json.decode(exported(line))["entry"]["name"] == "the token t"
