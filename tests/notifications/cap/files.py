"""CAP messages for tests: a valid one, with whatever is wanted different."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from notifications.cap.schema import CHILDREN, NAMESPACE

SENT = "2026-11-23T11:25:16+07:00"
SENDER = "canhbao@kttv.example.vn"

_ALERT = {"identifier": "VN-7", "sender": SENDER, "sent": SENT, "status": "Actual", "msgType": "Alert"}
_INFO = {
    "language": "vi-VN",
    "category": "Met",
    "event": "Lũ",
    "urgency": "Immediate",
    "severity": "Severe",
    "certainty": "Observed",
    "headline": "Lũ lên nhanh",
}


def element(name: str, inner: str) -> str:
    """An element around markup."""
    return f"<{name}>{inner}</{name}>"


def info(*extra: str, **values: str | None) -> str:
    """An info with `values` different, None to leave one out, and `extra` markup after its headline."""
    wanted = {**_INFO, **values}
    ordered = {rule.name: wanted[rule.name] for rule in CHILDREN["info"] if rule.name in wanted}
    return element("info", _elements(ordered, extra))


def alert(*infos: str, **values: str | None) -> bytes:
    """A message with `values` different, None to leave one out; and one info, if none is given."""
    order = ("identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses")
    order = (*order, "code", "note", "references", "incidents")
    wanted = {**_ALERT, "scope": "Public", **values}
    ordered = {name: wanted[name] for name in order if name in wanted}
    return root(_elements(ordered, infos or (info(),)))


def update(reference: str = f"{SENDER},VN-7,{SENT}", *infos: str, **values: str | None) -> bytes:
    """An Update of the message that `alert` makes."""
    usual: dict[str, str | None] = {"identifier": "VN-8", "msgType": "Update", "references": reference}
    return alert(*infos, **{**usual, **values})


def cancel(reference: str = f"{SENDER},VN-7,{SENT}", **values: str | None) -> bytes:
    """A Cancel of the message that `alert` makes."""
    usual: dict[str, str | None] = {"identifier": "VN-9", "msgType": "Cancel", "references": reference}
    return alert(**{**usual, **values})


def root(inner: str) -> bytes:
    """The markup `inner` in an alert, each element on a line of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="{NAMESPACE}">\n{inner}\n</alert>\n'.encode()


def _elements(values: dict[str, str | None], extra: Iterable[str]) -> str:
    lines = [element(name, escape(value)) for name, value in values.items() if value is not None]
    return "\n".join([*lines, *extra])
