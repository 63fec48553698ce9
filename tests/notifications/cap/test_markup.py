from __future__ import annotations

import pytest

from notifications.cap import markup
from notifications.cap.faults import NotCap
from notifications.cap.markup import MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS

_LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol"}">' for i in range(10))


def refused(data: bytes) -> tuple[int, str]:
    """The line and the words of the one fault for which `data` is refused."""
    with pytest.raises(NotCap) as caught:
        markup.read(data)
    (fault,) = caught.value.faults
    return fault.line, fault.what


def test_an_element_knows_its_line_and_place() -> None:
    root = markup.read(b'<a xmlns="urn:x">\n <b>one</b>\n <b\n  y="1">t<c/>wo</b>\n</a>')
    assert (root.namespace, root.name, root.line, root.path) == ("urn:x", "a", 1, "a")
    first, second = root.children
    assert (first.line, first.path, first.text) == (2, "a/b", "one")
    assert (second.line, second.path, second.text, second.attributes) == (3, "a/b[2]", "two", ("y",))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_reads_what_its_encoding_says(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><a>M\u00e3</a>'
    assert markup.read(text.encode(encoding)).text == "Mã"


@pytest.mark.parametrize(
    "document",
    [
        f"<!DOCTYPE a [{_LAUGHS}]>\n<a>&l9;</a>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>\n<a/>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">\n<a/>',
        '<!DOCTYPE a PUBLIC "x" "y">\n<a/>',
        f'<!DOCTYPE a [<!ENTITY x "{"y" * 20_000}">]>\n<a>{"&x;" * 20_000}</a>',
        '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]>\n<a/>',
        "<!DOCTYPE a [<!ENTITY x",
        "<!DOCTYPE a>\n<a/>",
    ],
    ids=["laughs", "file", "parameter", "address", "public", "quadratic", "attributes", "torn", "plain"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_dtd_is_refused_before_it_is_read(document: str, encoding: str) -> None:
    line, what = refused(document.encode(encoding))
    assert line == 1
    assert what.startswith("has a DTD")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "the file is empty"),
        (b" \n ", "the file is empty"),
        (b"<a>\n<b></a>", "not well-formed: mismatched tag"),
        (b"<a>\n&nbsp;</a>", "not well-formed: undefined entity"),
        (b"<a>\n\xff</a>", "not well-formed: (invalid token)"),
        (b"<a>\n\x00</a>", "not well-formed: (invalid token)"),
        (b"<a/>\n<b/>", "not well-formed: junk after document element"),
        (b"<a>\n", "not well-formed: no element found"),
        (b"<a>\n<x:b/></a>", "not well-formed: unbound prefix"),
        (b"<a>\n<b c='1' c='2'/></a>", "not well-formed: duplicate attribute"),
        (b"{}", "not well-formed: (invalid token)"),
        (b'<?xml version="1.0" encoding="nothing-such"?><a/>', "not well-formed: unknown encoding"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "not well-formed: unknown encoding"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', "not well-formed: unknown encoding"),
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_line(data: bytes, what: str) -> None:
    line, said = refused(data)
    assert said.startswith(what)
    assert line in ((2,) if data.startswith(b"<a>\n") or b"\n<b/>" in data else (0, 1))


def test_what_is_too_large_deep_or_full_is_refused() -> None:
    assert refused(b"<a>" + b" " * MAX_BYTES + b"</a>") == (0, "the file is longer than 256 KiB")
    assert refused(b"<a>" * 50_000) == (1, f"elements are nested more than {MAX_DEPTH} deep")
    assert refused(b"<a>\n" + b"<b/>" * MAX_ELEMENTS + b"</a>") == (2, f"has more than {MAX_ELEMENTS} elements")
    many = " ".join(f"a{number}='1'" for number in range(MAX_ATTRIBUTES + 1))
    assert refused(f"<a {many}/>".encode()) == (1, f"an element has more than {MAX_ATTRIBUTES} attributes")


def test_what_is_as_large_and_deep_as_may_be_is_read() -> None:
    assert markup.read(b"<a>" + b"x" * (MAX_BYTES - 7) + b"</a>").text == "x" * (MAX_BYTES - 7)
    assert markup.read(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH).name == "a"
    assert len(markup.read(b"<a>" + b"<b/>" * (MAX_ELEMENTS - 1) + b"</a>").children) == MAX_ELEMENTS - 1
