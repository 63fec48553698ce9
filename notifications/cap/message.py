"""A CAP message that has passed the rules, as far as we use it.

Pure.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from notifications.cap.checking import checked
from notifications.cap.markup import Element
from notifications.cap.schema import NAMESPACE
from notifications.cap.values import Identity, identities, milliseconds

# CAP 1.2, section 3.2.2: what does not say its language is in this one.
UNSAID_LANGUAGE = "en-US"


class Info(Struct, frozen=True, kw_only=True):
    """What is said in one language (CAP 1.2, section 3.2.2).

    Attributes:
        language: As it came.
        effective_ms, expires_ms: Unix time; 0 if it is not said.
        parameters: Names and values, in their order.
        areas: Their descriptions, in their order.
    """

    language: str
    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    effective_ms: int = 0
    expires_ms: int = 0
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    areas: tuple[str, ...] = ()


class Message(Struct, frozen=True, kw_only=True):
    """A message (CAP 1.2, section 3.2.1).

    Attributes:
        kind: Its `msgType`.
        references_line: In which line of the file they stand.
    """

    identifier: str
    sender: str
    sent: str
    status: str
    kind: str
    scope: str
    source: str = ""
    note: str = ""
    references: str = ""
    incidents: str = ""
    infos: tuple[Info, ...] = ()
    references_line: int = 0

    @property
    def identity(self) -> Identity:
        """What names it."""
        return Identity(self.sender, self.identifier, self.sent)

    @property
    def digest(self) -> str:
        """The same for the same message, however its file is laid out."""
        return hashlib.sha256(msgspec.json.encode(replace(self, references_line=0))).hexdigest()

    @property
    def earlier(self) -> tuple[Identity, ...]:
        """The messages it refers to, the newest first."""
        return tuple(sorted(identities(self.references), key=lambda one: milliseconds(one.sent), reverse=True))


def read(data: bytes) -> Message:
    """The message that the file `data` is.

    Raises:
        NotCap: It is none; with all that is wrong.
    """
    root = checked(data)
    return Message(
        identifier=_text(root, "identifier"),
        sender=_text(root, "sender"),
        sent=_text(root, "sent"),
        status=_text(root, "status"),
        kind=_text(root, "msgType"),
        scope=_text(root, "scope"),
        source=_text(root, "source"),
        note=_text(root, "note"),
        references=" ".join(_text(root, "references").split()),
        incidents=_text(root, "incidents"),
        infos=tuple(_info(info) for info in _all(root, "info")),
        references_line=next((one.line for one in _all(root, "references")), 0),
    )


def _info(info: Element) -> Info:
    return Info(
        language=_text(info, "language") or UNSAID_LANGUAGE,
        categories=tuple(category.text for category in _all(info, "category")),
        event=_text(info, "event"),
        urgency=_text(info, "urgency"),
        severity=_text(info, "severity"),
        certainty=_text(info, "certainty"),
        effective_ms=_moment(info, "effective"),
        expires_ms=_moment(info, "expires"),
        headline=_text(info, "headline"),
        description=_text(info, "description"),
        instruction=_text(info, "instruction"),
        web=_text(info, "web"),
        parameters=tuple((_text(one, "valueName"), _text(one, "value")) for one in _all(info, "parameter")),
        areas=tuple(_text(area, "areaDesc") for area in _all(info, "area")),
    )


def _moment(info: Element, name: str) -> int:
    value = _text(info, name)
    return milliseconds(value) if value else 0


def _all(parent: Element, name: str) -> list[Element]:
    return [child for child in parent.children if child.name == name and child.namespace == NAMESPACE]


def _text(parent: Element, name: str) -> str:
    found = _all(parent, name)
    return found[0].text if found else ""
