from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.people.user import (
    MAX_NAME,
    User,
    comparable,
    typed_name,
    wrong_full_name,
    wrong_name,
    wrong_password,
    wrong_roles,
)


@pytest.mark.parametrize("name", ["a", "an", "an.nguyen", "ban-bien-tap_2", "a" * MAX_NAME])
def test_names(name: str) -> None:
    assert wrong_name(name) == ""


@pytest.mark.parametrize(
    "name", ["", "An", "ân", ".an", "an-", "a" * (MAX_NAME + 1), "a b", "a\n", "a/b", "*", "а"]
)  # the last is Cyrillic
def test_what_is_no_name(name: str) -> None:
    assert wrong_name(name)


def test_a_name_is_looked_up_however_it_was_typed() -> None:
    assert typed_name("  AN.Nguyen ") == "an.nguyen"


@pytest.mark.parametrize("text", ["", " " * 81, "x" * 81, "a\nb", "a\x00b", "\u202eevil", "\ud800"])
def test_what_is_no_full_name(text: str) -> None:
    assert wrong_full_name(text)
    assert wrong_full_name("Nguyễn Thị An") == ""


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ngắn quá", "at least"),
        ("x" * 257, "at most"),
        ("bien-tap-vien", "name"),
        (" Bien-Tap-Vien ", "name"),
        ("aaaaaaaaaaaaaaa", "different"),
        ("abababababab", "different"),
    ],
)
def test_passwords_that_are_not_taken(password: str, why: str) -> None:
    assert why in wrong_password(password, "bien-tap-vien")


def test_a_password_of_any_script_is_taken() -> None:
    for password in ("dòng sông mùa thu", "correct horse battery", "密码很长很长很长很长很长吗", "x1!y" * 64):
        assert wrong_password(password, "an") == ""


@given(st.text(alphabet="aăâeêioôơuưyđáàảãạắằẳẵặ ", min_size=1))
def test_a_password_is_the_same_from_every_keyboard(text: str) -> None:
    assert comparable(unicodedata.normalize("NFD", text)) == comparable(unicodedata.normalize("NFC", text))


def test_roles() -> None:
    assert wrong_roles({"*": "admin", "demo": "viewer"}, {"demo"}) == []
    assert [wrong.pointer for wrong in wrong_roles({"x/y~": "admin", "demo": "boss"}, {"demo"})] == [
        "/roles/x~1y~0",
        "/roles/demo",
    ]
    assert wrong_roles({}, {"demo"})[0].pointer == "/roles"
    assert wrong_roles({f"s{n}": "viewer" for n in range(201)}, {f"s{n}" for n in range(201)})


def test_who_looks_after_people() -> None:
    admin = User(name="an", full_name="An", roles={"*": "admin"})
    assert admin.is_admin
    assert not User(name="an", full_name="An", roles={"*": "admin"}, disabled=True).is_admin
    assert not User(name="an", full_name="An", roles={"demo": "admin"}).is_admin
    assert not User(name="an", full_name="An", roles={"*": "approver"}).is_admin
    # What the trail is told holds nothing to sign in with.
    assert set(admin.told()) == {"full_name", "roles", "disabled"}
