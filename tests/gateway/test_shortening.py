"""Scripts made short: what they mean stays, and nothing of it comes into our process."""

from __future__ import annotations

import sys

import pytest

from gateway.shortening import shortened


def test_names_of_its_own_are_shortened_and_those_of_others_are_not() -> None:
    short = shortened("(() => {\n  // why\n  const wordy = window.other;\n  wordy.named(wordy, 'wordy');\n})();")
    assert "wordy." not in short
    assert "why" not in short
    assert all(kept in short for kept in ("window.other", ".named(", "wordy"))


def test_nothing_newer_than_browsers_know_is_written() -> None:
    short = shortened("(f) => { const a = f(); g(a === null || a === undefined ? 1 : a, a && a.b) }")
    assert "??" not in short
    assert "?." not in short


def test_what_is_no_script_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1"):
        shortened("(() => {")


def test_this_process_loads_none_of_it() -> None:
    shortened("1 + 1")
    assert "minify" not in sys.modules
