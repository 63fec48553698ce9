"""The console's languages: English as it stands in templates and code, Vietnamese from catalogs beside them.

gettext's form, for two reasons: who writes a page writes plain English into it and nothing else, and who translates has
tools for ``.po`` files that show what is missing. The catalogs (``words/*.vi.po``, one for each group of pages) are
read by Babel at start; there is no compiled file to forget. A test finds every text without a translation.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from notifications.people.user import Language

PACKAGE = "notifications.console"
DEFAULT: Language = "vi"
# As each calls itself.
NAMES: Mapping[Language, str] = {"vi": "Tiếng Việt", "en": "English"}


def text(english: str) -> str:
    """Marks a text that is translated elsewhere than where it stands, so that it is missed in the catalogs."""
    return english


def catalogs(*packages: str) -> dict[str, Catalog]:
    """The Vietnamese catalogs of this package and of `packages` that have pages of their own, by file name."""
    directories = [resources.files(package).joinpath("words") for package in (PACKAGE, *packages)]
    files = [file for directory in directories for file in directory.iterdir()]
    found = {file.name: file.read_bytes() for file in files if file.name.endswith(".vi.po")}
    return {name: read_po(io.BytesIO(found[name]), locale="vi") for name in sorted(found)}


def translations(*packages: str) -> dict[Language, NullTranslations]:
    """What turns English into each language."""
    # The first is no empty one: it says how many plurals Vietnamese has.
    first, *others = [_compiled(catalog) for catalog in catalogs(*packages).values()]
    for other in others:
        first.add(other)
    return {"vi": first, "en": NullTranslations()}


def _compiled(catalog: Catalog) -> Translations:
    file = io.BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    return Translations(file)


def accepted(header: str) -> Language:
    """The language of ours that an ``Accept-Language`` asks for most; our own where it asks for none of them."""
    wishes: list[tuple[float, Language]] = []
    for part in header[:1_000].split(","):
        tag, _, rest = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        language: Language | None = "vi" if primary == "vi" else "en" if primary == "en" else None
        if language is not None:
            wishes.append((_weight(rest), language))
    best = max(wishes, key=lambda wish: wish[0], default=(0.0, DEFAULT))
    return best[1] if best[0] > 0 else DEFAULT


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
