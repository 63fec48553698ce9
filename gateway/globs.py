"""Which paths of pages a glob means: ``*`` is any text without a slash, ``**`` any text at all; all else is itself.

A path is meant as a browser tells it, percent-encoded; a glob may be written so, or in letters.

A glob comes from outside, and is searched for by trying: one of many stars, written without care, would have a machine
try for years. So it becomes a regular expression that never takes back what a star has taken where that could not help,
and the time grows at most with the square of a path's length, however many stars there are. JavaScript and Python have
different words for not taking back; else both are given the same.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import TypeAlias
from urllib.parse import quote

Matches: TypeAlias = Callable[[str], bool]

_STARS = re.compile(r"(\*+)")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
# What the address bar leaves as it is in a path (WHATWG URL, "path percent-encode set"), and what is a star to us. A
# percent sign is left too: who copies from the address bar has it encoded already.
_AS_THEY_ARE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"#<>?^`{}')
_SOME, _ANY = r"[^/]*", r"[\s\S]*"

# Makes of a pattern one that is tried once: its first match is kept to. Called before the pattern is made, since groups
# are numbered in the order in which they open.
_Once: TypeAlias = "Callable[[Callable[[], str]], str]"


def globs(patterns: Iterable[str]) -> Matches:
    """Whether a path is one that any of the globs means."""
    exact: set[str] = set()
    prefixes: list[str] = []
    others: list[re.Pattern[str]] = []
    for pattern in dict.fromkeys(map(_spelled, patterns)):
        # Nearly all are of these two forms, which cost nothing.
        if "*" not in pattern:
            exact.add(pattern)
        elif pattern.endswith("**") and "*" not in pattern[:-2]:
            prefixes.append(pattern[:-2])
        else:
            others.append(expression(pattern))
    starts = tuple(prefixes)
    return lambda path: path in exact or path.startswith(starts) or any(one.fullmatch(path) for one in others)


def expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of one glob, for ``fullmatch``."""
    return re.compile(_glob(_spelled(pattern), lambda make: f"(?>{make()})"))


def for_javascript(patterns: Iterable[str]) -> list[str]:
    """A regular expression of each glob, to be put side by side in one that is for the whole of a path."""
    once = _repeated(count(1))
    return [_glob(_spelled(pattern), once) for pattern in patterns]


def literal(text: str) -> str:
    """Text as a pattern; escaped only where both languages know the escape."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _spelled(pattern: str) -> str:
    return quote(pattern, safe=_AS_THEY_ARE)


def _repeated(groups: Iterator[int]) -> _Once:
    """JavaScript's way: nothing goes back into a lookahead, and what that has found is repeated by its number."""

    def once(make: Callable[[], str]) -> str:
        number = next(groups)
        return rf"(?=({make()}))\{number}"

    return once


def _glob(glob: str, once: _Once) -> str:
    """A glob as a pattern for the whole of a path.

    Between two stars, the first place at which the text between them stands is as good as any later one: whatever
    follows a star and could be reached from a later place can be reached from the first. That holds for ``*`` as long
    as it is one run of them, and for ``**`` with the whole run behind it. Only what leads up to the end must be tried
    further.

    Args:
        glob: In the address bar's spelling.
        once: In the words of the language that is to read it.
    """
    parts = _STARS.split(glob)
    # Text, stars, text, …, text; cut into runs at every `**`.
    runs: list[list[str]] = [[parts[0]]]
    for stars, text in zip(parts[1::2], parts[2::2], strict=True):
        if len(stars) > 1:
            runs.append([text])
        else:
            runs[-1].append(text)
    pattern = ""
    for number, run in enumerate(runs):
        first, last = number == 0, number == len(runs) - 1
        if first or last:
            pattern += ("" if first else _ANY) + _run(run, once, anchored=last)
        else:
            pattern += once(partial(_somewhere, run, once))
    return pattern


def _somewhere(texts: list[str], once: _Once) -> str:
    return f"{_ANY}?{_run(texts, once, anchored=False)}"


def _run(texts: list[str], once: _Once, *, anchored: bool) -> str:
    """Texts with a ``*`` between each two; `anchored`, if the end of the path follows."""
    pattern = literal(texts[0])
    for number, text in enumerate(texts[1:], start=1):
        if anchored and number == len(texts) - 1:
            pattern += _SOME + literal(text)
        else:
            pattern += once(partial("{}?{}".format, _SOME, literal(text)))
    return pattern
