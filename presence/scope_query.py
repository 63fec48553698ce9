"""Whose readers a query asks for: those of the site, of a section or of a page. One set of words for all that ask.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from gateway.handshake import page_path, page_section
from presence.parameters import Refused, one_of

Scope: TypeAlias = Literal["site", "section", "page"]

SCOPES: tuple[Scope, ...] = ("site", "section", "page")
PARAMETERS = frozenset({"scope", "section", "path"})

SECTION_FORM = "It has letters, digits, - and _, at most 64."
PATH_FORM = "It begins with / and has at most 512 bytes and no control characters."


class Scoped(NamedTuple):
    """What was asked for.

    Attributes:
        scope: Whose readers.
        section: That was named; empty for none.
        path: Of the page that was named; empty for none.
    """

    scope: Scope
    section: str
    path: str

    @property
    def place(self) -> str:
        """The section or the page whose readers are asked for; empty for the site's."""
        return {"site": "", "section": self.section, "page": self.path}[self.scope]


def section(given: Mapping[str, str]) -> str:
    """The section a query names, as it is kept; empty if it names none.

    Raises:
        Refused: No section has such a name.
    """
    value = given.get("section", "")
    kept = page_section(value)
    if value and not kept:
        raise Refused("section", SECTION_FORM)
    return kept


def path(given: Mapping[str, str]) -> str:
    """The path of the page a query names, as it is kept; empty if it names none.

    Raises:
        Refused: No page has such a path.
    """
    value = given.get("path", "")
    kept = page_path(value)
    if value and not kept:
        raise Refused("path", PATH_FORM)
    return kept


def scoped(given: Mapping[str, str]) -> Scoped:
    """Reads the three parameters of a query.

    Raises:
        Refused: One is wrong, or the one that the scope needs is missing.
    """
    asked = Scoped(one_of("scope", given.get("scope", "site"), SCOPES), section(given), path(given))
    if asked.scope == "page" and not asked.path:
        raise Refused("path", "The readers of a page are asked for, so say of which.")
    if asked.scope == "section" and not asked.section:
        raise Refused("section", "The readers of a section are asked for, so say of which.")
    return asked
