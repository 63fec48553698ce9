from __future__ import annotations

from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import msgspec
import pytest

from gateway.instants import rfc3339
from notifications.announcement import SEVERITIES, Announcement
from notifications.syndication import ATOM, FORMATS, Channel, atom, json_feed, rss
from tests.notifications.making import NOW_MS, announcement

CHANNEL = Channel("Cổng thông tin", "vi", "https://loa.example.vn", "https://loa.example.vn/feeds/demo.atom", "demo")
FLOOD = announcement(
    "a", title="Lũ lên <nhanh> & mạnh", body="Dòng một\nDòng hai", url="https://portal.example.vn/lu?a=1&b=2"
)
OVER = announcement("b", 2, status="recalled", body="Nhầm", url="https://portal.example.vn/nham", updated_ms=NOW_MS + 1)


def entries(document: bytes) -> list[ElementTree.Element]:
    return ElementTree.fromstring(document).findall(f"{{{ATOM}}}entry")


def text(element: ElementTree.Element, name: str) -> str | None:
    return element.findtext(f"{{{ATOM}}}{name}")


def test_atom_has_what_the_rfc_asks_for() -> None:
    feed = ElementTree.fromstring(atom(CHANNEL, [OVER, FLOOD]))
    assert feed.tag == f"{{{ATOM}}}feed"
    assert text(feed, "id") == CHANNEL.address
    assert text(feed, "title") == "Thông báo của Cổng thông tin"
    assert text(feed, "updated") == rfc3339(NOW_MS + 1)
    assert text(feed, f"author/{{{ATOM}}}name") == "Cổng thông tin"
    for entry in entries(atom(CHANNEL, [OVER, FLOOD])):
        assert all(text(entry, name) for name in ("id", "title", "published", "updated", "content"))


def test_text_stays_text() -> None:
    (entry,) = entries(atom(CHANNEL, [FLOOD]))
    assert text(entry, "title") == FLOOD.title
    assert text(entry, "content") == FLOOD.body
    link = entry.find(f"{{{ATOM}}}link")
    assert link is not None
    assert link.get("href") == FLOOD.url
    (told,) = ElementTree.fromstring(rss(CHANNEL, [FLOOD])).iter("item")
    assert (told.findtext("title"), told.findtext("link")) == (FLOOD.title, FLOOD.url)
    (item,) = msgspec.json.decode(json_feed(CHANNEL, [FLOOD]))["items"]
    assert (item["title"], item["content_text"], item["url"]) == (FLOOD.title, FLOOD.body, FLOOD.url)


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_withdrawn_says_so_and_no_more(format: str) -> None:
    document = FORMATS[format][1](CHANNEL, [OVER]).decode()
    assert "Đã thu hồi: b in revision 2" in document
    assert "Thông báo này đã được thu hồi." in document
    assert "Nhầm" not in document
    assert OVER.url not in document


def test_an_item_keeps_its_id_over_revisions_and_on_other_sites_has_another() -> None:
    def id_of(one: Announcement, channel: Channel = CHANNEL) -> str:
        return str(msgspec.json.decode(json_feed(channel, [one]))["items"][0]["id"])

    assert id_of(FLOOD) == id_of(announcement("a", 5, status="recalled"))
    assert id_of(FLOOD) != id_of(OVER)
    assert id_of(FLOOD) != id_of(FLOOD, CHANNEL._replace(site="tinh"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_severity_has_a_name(language: str) -> None:
    channel = CHANNEL._replace(language=language)
    told = ElementTree.fromstring(rss(channel, [announcement(each, severity=each) for each in SEVERITIES]))
    names = [each.text for each in told.iter("category")]
    assert all(names)
    assert len({*names}) == len(SEVERITIES)


def test_rss_dates_are_those_of_the_last_change() -> None:
    (told,) = ElementTree.fromstring(rss(CHANNEL, [OVER])).iter("item")
    date = told.findtext("pubDate")
    assert date is not None
    assert parsedate_to_datetime(date).timestamp() == OVER.updated_ms // 1000


def test_without_text_and_link_the_title_is_all() -> None:
    bare = announcement("a", body="", url="")
    (entry,) = entries(atom(CHANNEL, [bare]))
    assert text(entry, "content") == bare.title
    assert entry.find(f"{{{ATOM}}}link") is None
    assert "url" not in msgspec.json.decode(json_feed(CHANNEL, [bare]))["items"][0]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_a_document_too(format: str) -> None:
    assert FORMATS[format][1](CHANNEL, [])
