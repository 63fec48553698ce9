"""For whom an audience is asked for: reads the query, with all that is wrong with it.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from msgspec import Struct

from gateway.handshake import page_section
from notifications.announcement import MAX_GLOB, MAX_LANGUAGES, MAX_PATHS, MAX_SECTIONS
from notifications.errors import Invalid, WrongField

MAX_SITES = 50
PARAMETERS = ("site", "section", "path", "language", "visible")

_LANGUAGE = re.compile(r"[a-z]{2,8}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Wanted(Struct, frozen=True, kw_only=True):
    """An audience on some sites, see :class:`notifications.announcement.Audience`."""

    sites: tuple[str, ...]
    sections: tuple[str, ...]
    paths: tuple[str, ...]
    languages: tuple[str, ...]
    visible: bool


def wanted(given: Sequence[tuple[str, str]], sites: Collection[str]) -> Wanted:
    """What the query asks for.

    Args:
        given: The parameters as they came; all but `visible` may come several times.
        sites: Those that there are.

    Raises:
        Invalid: Some are wrong; it names each.
    """
    wrong: list[WrongField] = []

    def several(name: str, most: int) -> tuple[str, ...]:
        values = [value for key, value in given if key == name]
        if len(values) > most:
            wrong.append(WrongField(name, "", f"may be given at most {most} times"))
        return tuple(dict.fromkeys(values))[:most]

    def refuse(name: str, bad: bool, detail: str) -> None:
        if bad:
            wrong.append(WrongField(name, "", detail))

    for name in dict.fromkeys(key for key, _ in given):
        refuse(name[:40], name not in PARAMETERS, f"is not known here; there are: {', '.join(PARAMETERS)}")
    asked = Wanted(
        sites=several("site", MAX_SITES),
        sections=several("section", MAX_SECTIONS),
        paths=several("path", MAX_PATHS),
        languages=several("language", MAX_LANGUAGES),
        visible="1" in several("visible", 1),
    )
    refuse("site", not asked.sites, "name at least one site")
    refuse("site", any(one not in sites for one in asked.sites), "there is no such site")
    refuse(
        "section",
        any(not page_section(one) for one in asked.sections),
        "a section has letters, digits, - and _, at most 64",
    )
    refuse(
        "path",
        any(not _is_glob(one) for one in asked.paths),
        f"a path begins with / or * and has at most {MAX_GLOB} bytes and no control characters",
    )
    refuse(
        "language",
        any(_LANGUAGE.fullmatch(one) is None for one in asked.languages),
        "a language is a primary subtag such as vi",
    )
    refuse("visible", any(one not in {"0", "1"} for name, one in given if name == "visible"), "must be 0 or 1")
    if wrong:
        raise Invalid(wrong)
    return asked


def _is_glob(text: str) -> bool:
    return text[:1] in {"/", "*"} and _CONTROL.search(text) is None and len(text.encode("utf-8", "replace")) <= MAX_GLOB
