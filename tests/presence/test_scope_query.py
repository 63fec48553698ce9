"""Whose readers a query asks for."""

from __future__ import annotations

import pytest

from presence.parameters import Refused
from presence.scope_query import PATH_FORM, SECTION_FORM, Scoped, scoped


@pytest.mark.parametrize(
    ("given", "asked", "place"),
    [
        ({}, Scoped("site", "", ""), ""),
        ({"scope": "site", "path": "/1", "section": "a"}, Scoped("site", "a", "/1"), ""),
        ({"scope": "page", "path": "/1"}, Scoped("page", "", "/1"), "/1"),
        ({"scope": "section", "path": "/1", "section": "kinh-te"}, Scoped("section", "kinh-te", "/1"), "kinh-te"),
        ({"path": "", "section": ""}, Scoped("site", "", ""), ""),
    ],
)
def test_what_is_asked_for(given: dict[str, str], asked: Scoped, place: str) -> None:
    assert scoped(given) == asked
    assert scoped(given).place == place


@pytest.mark.parametrize(
    ("given", "field", "detail"),
    [
        ({"scope": "world"}, "scope", "site, section, page"),
        ({"path": "1"}, "path", PATH_FORM),
        ({"path": "/\x00"}, "path", PATH_FORM),
        ({"path": "/" + "ă" * 256}, "path", PATH_FORM),
        ({"section": "a/b"}, "section", SECTION_FORM),
        ({"section": "x" * 65}, "section", SECTION_FORM),
        ({"scope": "page"}, "path", "say of which"),
        ({"scope": "section", "path": "/"}, "section", "say of which"),
    ],
)
def test_what_is_refused(given: dict[str, str], field: str, detail: str) -> None:
    with pytest.raises(Refused, match=field) as refused:
        scoped(given)
    assert refused.value.field == field
    assert detail in refused.value.detail
