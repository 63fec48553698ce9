from __future__ import annotations

import gzip
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.backup.errors import BackupError, Damaged, NewerBackup, NotABackup
from operations.backup.form import FORMAT, About, Chunk, Writer, check, chunks
from store.layout import LAYOUT

ABOUT = About(loa="1.0", layout=LAYOUT, made="2026-11-27T00:00:00Z", prefix="loa", store="Valkey 9.1.2")
CHUNKS = [
    Chunk(key="{people}:users", kind="hash", values=[b"an", b"{}"], goes_on=True),
    Chunk(key="{people}:users", kind="hash", values=[b"ba", b"\xff\x00"]),
    Chunk(key="presence:secret", kind="string", values=[b"\x00" * 32], expires_ms=5),
    Chunk(key="{announcements}:log", kind="stream", values=[b"1-0", b"2", b"payload", b"{}"]),
    Chunk(key="{announcements}:active", kind="zset", values=[b"id", b"1.5e300"]),
]


def written(lines: list[Chunk] = CHUNKS, about: About = ABOUT) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, about)
    for chunk in lines:
        writer.write(chunk)
    writer.finish()
    return file.getvalue()


def forged(*lines: bytes) -> bytes:
    """A file whose digest is right, whatever is in it."""
    body = gzip.compress(b"".join(line + b"\n" for line in lines))
    return b"loa backup 1 %b\n%b" % (hashlib.sha256(body).hexdigest().encode(), body)


def test_what_was_written_is_read() -> None:
    file = io.BytesIO(written())
    assert check(file) == (
        ABOUT,
        {"people": 1, "secret of readers' ids": 1, "announcements": 2},
    )
    assert list(chunks(file)) == CHUNKS


@given(st.lists(st.tuples(st.binary(), st.binary()), min_size=1))
def test_any_bytes_come_back(fields: list[tuple[bytes, bytes]]) -> None:
    chunk = Chunk(key="{samples}:all", kind="hash", values=[part for pair in fields for part in pair])
    file = io.BytesIO(written([chunk]))
    check(file)
    assert list(chunks(file)) == [chunk]


def test_a_change_of_any_byte_is_found() -> None:
    whole = written()
    for place in range(len(whole)):
        for change in (0x01, 0x80):
            damaged = bytearray(whole)
            damaged[place] ^= change
            with pytest.raises(BackupError):
                check(io.BytesIO(bytes(damaged)))


def test_every_cut_and_every_addition_is_found() -> None:
    whole = written()
    for length in range(len(whole)):
        with pytest.raises((NotABackup, Damaged)):
            check(io.BytesIO(whole[:length]))
    with pytest.raises(Damaged):
        check(io.BytesIO(whole + b"\0"))


@pytest.mark.parametrize("text", [b"", b"PK\x03\x04", b"[server]\nport = 1\n", b"\n" * 500, b"loa backup 1 short\n"])
def test_another_file_is_none(text: bytes) -> None:
    with pytest.raises(NotABackup, match="this is no backup of Loa"):
        check(io.BytesIO(text))


def test_a_newer_format_is_named_before_anything_else_is_read() -> None:
    newer = written().replace(b"loa backup 1 ", b"loa backup 2 ", 1)
    with pytest.raises(NewerBackup, match=rf"\(format 2; this release knows {FORMAT}\); restore it with that release"):
        check(io.BytesIO(newer))


def test_a_newer_layout_is_refused() -> None:
    about = About(loa="9.0", layout=LAYOUT + 1, made="", prefix="loa", store="")
    with pytest.raises(NewerBackup, match="layout of keys"):
        check(io.BytesIO(written(about=about)))


ABOUT_LINE = b'{"is":"about","loa":"1","layout":1,"made":"","prefix":"","store":""}'
SECRET = b'{"is":"key","key":"presence:secret","kind":"string","values":["AA=="]}'
END = b'{"is":"end","keys":{"secret of readers\' ids":1}}'


def test_a_forged_file_like_ours_is_read() -> None:
    check(io.BytesIO(forged(ABOUT_LINE, SECRET, END)))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [ABOUT_LINE],
        [ABOUT_LINE, SECRET],
        [SECRET, END],
        [ABOUT_LINE, ABOUT_LINE, SECRET, END],
        [ABOUT_LINE, SECRET, END, END],
        [ABOUT_LINE, SECRET, SECRET, END],
        [ABOUT_LINE, END],
        [ABOUT_LINE, b"null", SECRET, END],
        [ABOUT_LINE, b"[" * 100_000, END],
        [ABOUT_LINE, SECRET.replace(b"presence:secret", b"presence:\xff"), END],
        [ABOUT_LINE, SECRET.replace(b"presence:secret", b"presence:epoch"), END],
        [ABOUT_LINE, SECRET.replace(b"presence:secret", b"layout"), END],
        [ABOUT_LINE, SECRET.replace(b'"string"', b'"hash"'), END],
        [ABOUT_LINE, SECRET.replace(b'"AA=="', b'"AA==","AA=="'), END],
        [ABOUT_LINE, SECRET.replace(b"]}", b'],"goes_on":true}'), END],
        [ABOUT_LINE, SECRET.replace(b"presence:secret", b"{tokens}:all").replace(b'"string"', b'"hash"'), END],
    ],
)
def test_what_no_backup_would_say_is_refused_though_its_digest_is_right(lines: list[bytes]) -> None:
    with pytest.raises(Damaged):
        check(io.BytesIO(forged(*lines)))


@pytest.mark.parametrize(
    "values",
    [[b"1-0"], [b"1-0", b"x", b"a", b"b"], [b"1-0", b"3", b"a", b"b", b"c"], [b"1-0", b"0"], [b"*", b"2", b"a", b"b"]],
)
def test_a_stream_that_is_none_is_refused(values: list[bytes]) -> None:
    with pytest.raises(Damaged):
        check(io.BytesIO(written([Chunk(key="{announcements}:log", kind="stream", values=values)])))


@pytest.mark.parametrize("score", [b"", b"x", b"nan", b"1,5"])
def test_a_score_that_is_none_is_refused(score: bytes) -> None:
    with pytest.raises(Damaged):
        check(io.BytesIO(written([Chunk(key="{announcements}:due", kind="zset", values=[b"id", score])])))
