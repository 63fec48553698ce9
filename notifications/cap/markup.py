"""Reads XML that a stranger sent: into plain elements with the line each stands in, or not at all.

Rules:

1. A document type declaration ends the reading where it begins. What it would define (entities that multiply, files
   and addresses to be fetched) is never looked at; without one there are no entities but XML's own five.
2. Length, depth, elements and attributes are bounded, and counted while reading: what goes too far is not built first.
3. Each byte is looked at once: the whole file is given to the parser in one piece.

It stands on expat as Python brings it, not on lxml or defusedxml. lxml builds the tree before anybody can look for a
declaration in it, and counts no bounds of ours. defusedxml is these handlers around the same expat, but loses the
lines, and had its last release in 2021.

Pure.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from notifications.cap.faults import Fault, NotCap

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_ELEMENTS = 5_000
MAX_ATTRIBUTES = 16

# Between namespace and name; no character of either.
_BETWEEN = " "


class Element:
    """An element of a file.

    Attributes:
        namespace, name: What it is called.
        line: In which its start tag begins.
        path: From the root, with places where there are several: ``alert/info[2]/event``.
        attributes: Their names, with their namespaces.
        children: The elements in it.
        text: The characters that stand directly in it.
    """

    __slots__ = ("_counts", "_parts", "attributes", "children", "line", "name", "namespace", "path")

    def __init__(self, namespace: str, name: str, line: int, path: str, attributes: tuple[str, ...]) -> None:
        self.namespace = namespace
        self.name = name
        self.line = line
        self.path = path
        self.attributes = attributes
        self.children: list[Element] = []
        self._parts: list[str] = []
        self._counts: dict[str, int] = {}

    @property
    def text(self) -> str:
        """What stands in it, white space around it left off."""
        return "".join(self._parts).strip(" \t\r\n")

    def place(self, name: str) -> str:
        """The path of the next child called `name`."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return f"{self.path}/{name}" if count == 1 else f"{self.path}/{name}[{count}]"

    def say(self, text: str) -> None:
        """Adds characters."""
        self._parts.append(text)


def read(data: bytes) -> Element:
    """The root element of the file `data`.

    Raises:
        NotCap: It is not well-formed, has a DTD, or is larger, deeper or fuller than is taken.
    """
    if len(data) > MAX_BYTES:
        raise NotCap([Fault(0, "", f"the file is longer than {MAX_BYTES // 1024} KiB")])
    if not data.strip():
        raise NotCap([Fault(0, "", "the file is empty")])
    return _Reading().root(data)


class _Reading:
    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.StartDoctypeDeclHandler = self._declared
        self._open: list[Element] = []
        self._root: Element | None = None
        self._elements = 0

    def root(self, data: bytes) -> Element:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code).removeprefix("not well-formed ")
            raise NotCap([Fault(error.lineno, self._where(), f"not well-formed: {what}")]) from None
        except (LookupError, ValueError, TypeError):
            # The declared encoding is one that Python does not know, or that no parser takes by single bytes.
            raise NotCap([Fault(1, "", "not well-formed: unknown encoding")]) from None
        if self._root is None:
            raise NotCap([Fault(0, "", "the file is empty")])
        return self._root

    def _declared(self, *_: object) -> None:
        self._refuse("has a DTD (<!DOCTYPE …>); CAP has none, and none is read")

    def _start(self, full: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            self._refuse(f"has more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(f"elements are nested more than {MAX_DEPTH} deep")
        if len(attributes) > MAX_ATTRIBUTES:
            self._refuse(f"an element has more than {MAX_ATTRIBUTES} attributes")
        namespace, _, name = full.rpartition(_BETWEEN)
        above = self._open[-1] if self._open else None
        path = above.place(name) if above is not None else name
        element = Element(namespace, name, self._parser.CurrentLineNumber, path, tuple(attributes))
        if above is not None:
            above.children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _say(self, text: str) -> None:
        self._open[-1].say(text)

    def _where(self) -> str:
        return self._open[-1].path if self._open else ""

    def _refuse(self, what: str) -> NoReturn:
        raise NotCap([Fault(self._parser.CurrentLineNumber, self._where(), what)])
