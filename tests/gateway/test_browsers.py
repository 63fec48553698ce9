"""Hashes and tags as browsers know them."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.browsers import has, written_hash


def test_a_hash_is_written_as_pages_write_it() -> None:
    # The example of the recommendation on Subresource Integrity, section 3.5.
    assert (
        written_hash("sha384", b"alert('Hello, world.');")
        == "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
    )


@pytest.mark.parametrize(
    ("said", "known"),
    [("", False), ('"a"', True), ('"b"', False), ('"b", "a"', True), ('W/"a"', True), ("*", True)],
)
def test_what_a_browser_has_it_need_not_be_sent(said: str, known: bool) -> None:
    request = make_mocked_request("GET", "/", headers={"If-None-Match": said} if said else {})
    assert has(request, "a") is known
