"""Every text of the console has a Vietnamese translation, and every translation a text."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from notifications.console.words import accepted, catalogs, translations
from notifications.people.user import LANGUAGES, wrong_full_name, wrong_name, wrong_password

_PAGES = ("notifications.console", "operations.page")
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "text": None, "say": (2,), "add_entry": (2,)}
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.do,jinja2.ext.i18n", "silent": "false"}}
# What other modules say of a name or a password, for the console to translate.
_FOREIGN = {
    wrong_name(""),
    wrong_full_name(""),
    wrong_password("", ""),
    wrong_password("x" * 300, ""),
    wrong_password("bien-tap-vien", "bien-tap-vien"),
    wrong_password("a" * 20, ""),
}


def said() -> set[str]:
    """All texts in templates and code."""
    found = [
        each
        for package in _PAGES
        for each in extract_from_dir(
            Path(str(resources.files(package))), method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS
        )
    ]
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found} | _FOREIGN


def translated() -> dict[str, str]:
    """All translations."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        if isinstance(message.string, str)
        else message.string[0]
        for catalog in catalogs("operations.page").values()
        for message in catalog
        if message.id
    }


def test_nothing_is_missing() -> None:
    missing = sorted(said() - {text for text, translation in translated().items() if translation})
    assert missing == []


def test_nothing_is_left_over() -> None:
    assert sorted(set(translated()) - said()) == []


def test_no_text_is_in_two_catalogs() -> None:
    ids = [str(message.id) for catalog in catalogs("operations.page").values() for message in catalog if message.id]
    assert sorted(ids) == sorted(set(ids))


def test_what_is_filled_in_is_the_same_in_both_languages() -> None:
    places = re.compile(r"%\(\w+\)s")
    wrong = [
        text
        for text, translation in translated().items()
        if set(places.findall(text)) != set(places.findall(translation))
    ]
    assert wrong == []


def test_both_languages_are_there() -> None:
    known = translations()
    assert set(known) == set(LANGUAGES)
    assert known["vi"].gettext("Sign in") == "Đăng nhập"
    assert known["en"].gettext("Sign in") == "Sign in"
    assert known["vi"].ngettext("%(num)s change", "%(num)s changes", 2) == "%(num)s thay đổi"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "vi"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("fr,en;q=0.2", "en"),
        ("fr", "vi"),
        ("en;q=0.1,vi;q=0.9", "vi"),
        ("en;q=0", "vi"),
        ("en;q=nan,vi;q=x", "vi"),
        ("*", "vi"),
        (";;,,q=1", "vi"),
        ("en;q=9", "vi"),
    ],
)
def test_what_a_browser_asks_for(header: str, language: str) -> None:
    assert accepted(header) == language
