"""Portals as the settings describe them."""

from __future__ import annotations

import msgspec
import pytest

from gateway.sites import SITE_ID, SiteSettings


@pytest.mark.parametrize("site", ["demo", "a", "bao-dien-tu", "7ngay", "a" * 64])
def test_an_id(site: str) -> None:
    assert SITE_ID.fullmatch(site)


@pytest.mark.parametrize("site", ["", "-a", "a-", "A", "a_b", "a.b", "báo", "a\n", "a" * 65])
def test_not_an_id(site: str) -> None:
    assert not SITE_ID.fullmatch(site)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"origins": ["portal.example.vn"]}, "'portal.example.vn' in origins is not of the form"),
        ({"origins": "https://portal.example.vn"}, "origins"),
        ({"timezone": "Hanoi"}, "'Hanoi' is not an IANA name"),
        ({"timezone": "../../etc/passwd"}, "is not an IANA name"),
        ({"timezone": ""}, "is not an IANA name"),
        ({"origin": []}, "unknown field `origin`"),
    ],
)
def test_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, SiteSettings)
    assert says in str(caught.value)


def test_accepted() -> None:
    site = msgspec.convert({"origins": ["https://*.example.vn"], "timezone": "Europe/Berlin"}, SiteSettings)
    assert site == SiteSettings(origins=["https://*.example.vn"], timezone="Europe/Berlin")
