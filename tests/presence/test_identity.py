"""Readers' ids: only ours are accepted, only for their site, and their names cannot be linked."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from presence.identity import Identity, name, reader_of

IDENTITY = Identity(b"a secret of the tests that is long enough")
TOKEN = IDENTITY.issue("demo")
URL_SAFE = string.ascii_letters + string.digits + "-_"


def test_a_token_names_its_reader() -> None:
    assert IDENTITY.verify("demo", TOKEN) == reader_of(TOKEN)
    assert Identity(b"a secret of the tests that is long enough").verify("demo", TOKEN) == reader_of(TOKEN)


def test_a_token_is_short_and_needs_no_quoting() -> None:
    assert len(TOKEN) == 42
    assert set(TOKEN) <= set(URL_SAFE + ".")


def test_two_readers_never_share_an_id() -> None:
    assert len({IDENTITY.issue("demo") for _ in range(1000)}) == 1000


def test_a_token_of_another_site_is_foreign() -> None:
    assert IDENTITY.verify("other", TOKEN) is None
    assert IDENTITY.verify("demo\0", TOKEN) is None


def test_a_token_signed_with_another_secret_is_forged() -> None:
    assert Identity(b"another secret of the tests, long too").verify("demo", TOKEN) is None


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from(URL_SAFE + ".=+/ \n\0é"))
def test_a_token_with_any_character_changed_is_refused(at: int, character: str) -> None:
    tampered = TOKEN[:at] + character + TOKEN[at + 1 :]
    assert (IDENTITY.verify("demo", tampered) is None) is (tampered != TOKEN)


@given(st.one_of(st.text(max_size=64), st.text(URL_SAFE + ".", min_size=42, max_size=42)))
def test_whatever_a_browser_sends_is_refused_and_never_an_error(sent: str) -> None:
    assert IDENTITY.verify("demo", sent) is None
    assert IDENTITY.verify("demo", "v1." + sent) is None


@given(st.integers(0, len(TOKEN) - 1))
def test_a_token_cut_short_or_continued_is_refused(length: int) -> None:
    assert IDENTITY.verify("demo", TOKEN[:length]) is None
    assert IDENTITY.verify("demo", TOKEN + TOKEN[: length + 1]) is None


def test_a_name_differs_by_reader_site_day_and_secret() -> None:
    reader, another = reader_of(TOKEN), reader_of(IDENTITY.issue("demo"))
    names = {
        IDENTITY.member("demo", reader, "2026-11-23"),
        IDENTITY.member("demo", another, "2026-11-23"),
        IDENTITY.member("demo", reader, "2026-11-24"),
        IDENTITY.member("other", reader, "2026-11-23"),
        Identity(b"another secret of the tests, long too").member("demo", reader, "2026-11-23"),
    }
    assert len(names) == 5
    assert all(len(one) == 12 for one in names)


def test_a_key_kept_for_the_day_gives_the_same_names() -> None:
    reader = reader_of(TOKEN)
    key = IDENTITY.key_of_day("demo", "2026-11-23")
    assert name(key, reader) == IDENTITY.member("demo", reader, "2026-11-23")
