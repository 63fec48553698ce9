"""The file of a backup.

::

    loa backup 1 <SHA-256 of all that follows, hexadecimal>\n
    <gzip of lines of JSON>

The first line can be read by any later release, and every byte of the file is accounted for: a changed, missing or
added one is found before anything else is done with it. The lines are an :class:`About`, then a :class:`Chunk` for
each key or, of a large one, several in a row, and an :class:`End`. Values are bytes, in base64.

Logical values, not the store's own ``DUMP``: that cannot be read by an older or another server. A HyperLogLog is a
string that all of them understand.

The digest finds damage; it is no signature. Whoever may write the file may write the store.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Literal, TypeAlias

import msgspec

from operations.backup.choices import Kind, chosen
from operations.backup.errors import Damaged, NewerBackup, NotABackup
from store.errors import NOT_UNDERSTOOD
from store.layout import LAYOUT

FORMAT = 1

_HEAD = re.compile(rb"loa backup (\d{1,9}) ([0-9a-f]{64})\n", re.ASCII)
_HEAD_BYTES = len(b"loa backup 1 \n") + 64
_LONGEST_HEAD = 128
_BLOCK_BYTES = 1 << 20
# A chunk is cut at about 1 MB of values; one value, an announcement in all languages, is far below the rest.
_LONGEST_LINE = 128 << 20


class About(msgspec.Struct, frozen=True, kw_only=True, tag="about", tag_field="is"):
    """What the file says of itself.

    Attributes:
        loa: The release that made it.
        layout: Of the keys.
        made: When, RFC 3339.
        prefix: That the keys had.
        store: The server they came from.
    """

    loa: str
    layout: int
    made: str
    prefix: str
    store: str


class Chunk(msgspec.Struct, frozen=True, kw_only=True, tag="key", tag_field="is", omit_defaults=True):
    """A key, or a part of one.

    Attributes:
        key: Without the prefix.
        kind: The store's type.
        values: Of a string: it; of a hash: field, value, …; of a sorted set: member, score, …; of a set or list: the
            members; of a stream: id, number of fields and values, field, value, …
        expires_ms: Unix time when it ends by itself; 0: never.
        goes_on: The next chunk is of the same key.
    """

    key: str
    kind: Kind
    values: list[bytes]
    expires_ms: int = 0
    goes_on: bool = False


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="is"):
    """The last line: so many keys in each part."""

    keys: dict[str, int]


Progress: TypeAlias = Callable[[int], None]

_LINE = msgspec.json.Decoder(About | Chunk | End)
_MISSING: Literal["something is missing"] = "something is missing"


class Writer:
    """Writes a backup into `file`, which is empty, seekable and the caller's to close."""

    def __init__(self, file: IO[bytes], about: About) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._keys: dict[str, int] = {}
        file.write(b"\0" * _HEAD_BYTES)
        self._gzip = gzip.GzipFile(fileobj=_Hashing(file, self._digest), mode="wb", mtime=0)
        self._line(about)

    def write(self, chunk: Chunk) -> None:
        """Adds a chunk; all those of a key in a row."""
        self._line(chunk)
        choice = chosen(chunk.key)
        if choice is not None and not chunk.goes_on:
            self._keys[choice.part] = self._keys.get(choice.part, 0) + 1

    def finish(self) -> dict[str, int]:
        """Completes the file; returns how many keys there are of each part."""
        self._line(End(keys=self._keys))
        self._gzip.close()
        self._file.seek(0)
        self._file.write(b"loa backup %d %b\n" % (FORMAT, self._digest.hexdigest().encode()))
        return self._keys

    def _line(self, line: About | Chunk | End) -> None:
        self._gzip.write(msgspec.json.encode(line) + b"\n")


class _Hashing(io.RawIOBase):
    """Passes on what is written, and takes its digest."""

    def __init__(self, file: IO[bytes], digest: hashlib._Hash) -> None:
        self._file = file
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self._digest.update(piece)
        return self._file.write(piece)


def check_head(file: IO[bytes]) -> str:
    """Reads the first line and leaves `file` behind it; returns the digest it names.

    Raises:
        NotABackup, NewerBackup: See there.
    """
    head = _HEAD.fullmatch(file.readline(_LONGEST_HEAD))
    if head is None:
        raise NotABackup
    if int(head[1]) > FORMAT:
        raise NewerBackup("format", int(head[1]), FORMAT)
    if int(head[1]) < 1 or file.tell() != _HEAD_BYTES:
        raise NotABackup
    return head[2].decode()


def check(file: IO[bytes], on_progress: Progress = lambda read: None) -> tuple[About, dict[str, int]]:
    """Reads all of a backup and returns what it says of itself, and its keys by part.

    Args:
        file: Seekable.
        on_progress: Called with the bytes read, now and then.

    Raises:
        NotABackup, NewerBackup, Damaged: It must not be restored.
    """
    file.seek(0)
    wanted, digest = check_head(file), hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        on_progress(file.tell())
    if digest.hexdigest() != wanted:
        raise Damaged("its content is not what its digest says")
    about, keys = None, None
    for line in _lines(file):
        match line:
            case About():
                about = line
            case End():
                keys = line.keys
    if about is None or keys is None:
        raise Damaged(_MISSING)
    return about, keys


def chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """The chunks of a backup that was checked."""
    return (line for line in _lines(file) if isinstance(line, Chunk))


def _lines(file: IO[bytes]) -> Iterator[About | Chunk | End]:
    """All lines, in the one order they may have, with nothing in them that is not ours to restore."""
    file.seek(_HEAD_BYTES)
    counted: dict[str, int] = {}
    before: About | Chunk | End | None = None
    seen: set[str] = set()
    for line in _decoded(file):
        if isinstance(before, End) or isinstance(line, About) is not (before is None):
            raise Damaged("its lines are out of order")
        if isinstance(line, About):
            if line.layout > LAYOUT:
                raise NewerBackup("layout of keys", line.layout, LAYOUT)
        elif isinstance(before, Chunk) and before.goes_on:
            if not isinstance(line, Chunk) or (line.key, line.kind) != (before.key, before.kind):
                raise Damaged(_MISSING)
        elif isinstance(line, Chunk):
            if line.key in seen:
                raise Damaged("it has a key twice")
            seen.add(line.key)
        if isinstance(line, Chunk):
            _count(line, counted)
        elif isinstance(line, End) and line.keys != counted:
            raise Damaged(_MISSING)
        before = line
        yield line
    if not isinstance(before, End):
        raise Damaged(_MISSING)


def _count(chunk: Chunk, counted: dict[str, int]) -> None:
    choice = chosen(chunk.key)
    if choice is None or choice.fate != "keep" or chunk.kind not in choice.kinds:
        raise Damaged("it has a key that no backup has")
    if not _well_formed(chunk):
        raise Damaged("it has a value that is none")
    if not chunk.goes_on:
        counted[choice.part] = counted.get(choice.part, 0) + 1


def _well_formed(chunk: Chunk) -> bool:
    values = chunk.values
    match chunk.kind:
        case "string":
            return len(values) == 1 and not chunk.goes_on
        case "hash":
            return len(values) > 0 and len(values) % 2 == 0
        case "zset":
            return len(values) > 0 and len(values) % 2 == 0 and all(map(_number, values[1::2]))
        case "stream":
            return len(values) > 0 and entries(values) is not None
        case _:
            return len(values) > 0


def _number(text: bytes) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def entries(values: list[bytes]) -> list[tuple[bytes, list[bytes]]] | None:
    """The entries of a stream: id, and fields and values; None if `values` are no such thing."""
    found: list[tuple[bytes, list[bytes]]] = []
    at = 0
    while at < len(values):
        if at + 1 >= len(values) or not values[at + 1].isdigit() or re.fullmatch(rb"\d+-\d+", values[at]) is None:
            return None
        end = at + 2 + int(values[at + 1])
        if end > len(values) or end <= at + 2 or (end - at) % 2:
            return None
        found.append((values[at], values[at + 2 : end]))
        at = end
    return found


def _decoded(file: IO[bytes]) -> Iterator[About | Chunk | End]:
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as text:
            while line := text.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):
                    raise Damaged("a line has no end")
                yield _LINE.decode(line)
    except (OSError, EOFError, zlib.error, *NOT_UNDERSTOOD):
        raise Damaged("it cannot be read to its end") from None
