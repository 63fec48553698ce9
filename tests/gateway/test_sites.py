"""Portals as the settings describe them."""

from __future__ import annotations

import msgspec
import pytest

from gateway.origins import Origins
from gateway.sites import SITE_ID, LiveSites, OfEach, SiteSettings, with_own_pages


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


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://Loa.Example.vn", "https://loa.example.vn"),
        ("https://loa.example.vn:443/duoi", "https://loa.example.vn"),
        ("http://loa.example.vn:80", "http://loa.example.vn"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_pages_of_the_service_itself_may_connect_to_every_site(public_url: str, origin: str) -> None:
    sites = {"demo": SiteSettings(origins=["https://portal.example.vn"]), "closed": SiteSettings()}
    joined = with_own_pages(sites, public_url)
    for id, site in joined.items():
        allowed = Origins(site.origins)
        assert allowed.allow(origin)
        assert not allowed.allow("https://elsewhere.example")
        assert allowed.allow("https://portal.example.vn") is (id == "demo")
    assert sites["closed"].origins == []


def test_what_is_made_of_each_site_is_made_again_when_it_changes() -> None:
    sites = LiveSites({"a": SiteSettings(name="A"), "b": SiteSettings()})
    made: list[str] = []

    def make(site: str, one: SiteSettings) -> str:
        made.append(site)
        return one.name

    names = OfEach(sites, make)
    assert dict(names) == {"a": "A", "b": ""}
    sites.adopt({"a": SiteSettings(name="A"), "c": SiteSettings(name="C")})
    assert dict(names) == {"a": "A", "c": "C"}
    assert names.get("b") is None
    sites.adopt({"a": SiteSettings(name="Á"), "c": SiteSettings(name="C")})
    assert dict(names) == {"a": "Á", "c": "C"}
    assert made == ["a", "b", "c", "a"]
    assert (len(sites), len(names), list(sites)) == (2, 2, ["a", "c"])


def test_a_site_may_come_while_somebody_goes_through_them() -> None:
    sites = LiveSites({"a": SiteSettings()})
    lengths = OfEach(sites, lambda id, _: len(id))
    found = []
    for site, length in lengths.items():
        sites.adopt({"a": sites["a"], "bb": SiteSettings()})
        found.append((site, length))
    assert found == [("a", 1)]
