"""What of the audit trail is an event."""

from __future__ import annotations

import msgspec
import pytest

from notifications.webhooks.event import body, expiry, happening, place
from tests.notifications.making import announcement


def entry(before: str | None, after: str | None, act: str = "act", revision: int = 2) -> bytes:
    def there(status: str | None) -> object:
        return None if status is None else announcement(status=status)

    return msgspec.json.encode(
        {"seq": 1, "at_ms": 7, "act": act, "owner": "x", "id": "a", "revision": revision}
        | {"before": there(before), "after": there(after)}
    )


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (None, "draft", None),
        (None, "waiting", "announcement.submitted"),
        (None, "live", "announcement.live"),
        ("draft", "waiting", "announcement.submitted"),
        ("waiting", "waiting", None),
        ("waiting", "approved", None),
        ("waiting", "draft", None),
        ("approved", "live", "announcement.live"),
        ("scheduled", "live", "announcement.live"),
        ("live", "live", "announcement.updated"),
        ("live", "recalled", "announcement.recalled"),
        ("draft", "discarded", None),
        ("scheduled", "missed", None),
    ],
)
def test_follows_from_the_states_before_and_after(before: str | None, after: str, event: str | None) -> None:
    found = happening("5-1", entry(before, after))
    assert (found.event if found is not None else None) == event
    if found is not None:
        assert (found.id, found.at_ms, found.announcement.status) == ("5-1", 7, after)


def test_what_is_no_act_on_an_announcement_is_no_event() -> None:
    assert happening("5-1", entry("waiting", "live", act="approve.refused")) is None
    assert happening("5-1", entry(None, "live", revision=0)) is None
    token = {
        "seq": 1,
        "at_ms": 7,
        "act": "token.create",
        "owner": "x",
        "id": "a",
        "before": None,
        "after": {"name": "x"},
    }
    assert happening("5-1", msgspec.json.encode(token)) is None
    refused = {"seq": 1, "at_ms": 7, "act": "approve.refused", "owner": "x", "id": "a", "after": "why"}
    assert happening("5-1", msgspec.json.encode(refused)) is None


def test_what_another_release_wrote_is_said_to_be_so() -> None:
    with pytest.raises(msgspec.DecodeError):
        happening("5-1", b'{"at_ms": 7, "act": "publish", "revision": 1, "after": {"status": "unheard-of"}}')


def test_says_what_the_api_shows() -> None:
    found = happening("5-1", entry(None, "live"))
    assert found is not None
    said = msgspec.json.decode(body(found))
    assert (said["type"], said["timestamp"]) == ("announcement.live", "1970-01-01T00:00:00.007Z")
    assert {"id": "a", "status": "live", "severity": "notice", "sites": ["demo"]}.items() <= said["data"].items()
    assert msgspec.json.decode(body(expiry(found.announcement)))["data"]["status"] == "expired"


def test_places_are_in_the_order_of_the_trail() -> None:
    assert place("9-0") < place("10-0") < place("10-2") < place("10-10") < place("a-expired")
