from __future__ import annotations

import re

import pytest

from notifications.cap import schema
from notifications.cap.checking import checked
from notifications.cap.faults import NotCap
from notifications.cap.schema import CHILDREN
from tests.notifications.cap.files import alert, cancel, element, info, root, update

PAIR = element("valueName", "a") + element("value", "b")
RESOURCE = element("resourceDesc", "x") + element("mimeType", "image/png")
AREA = element("areaDesc", "Thanh Hóa")


def faults(data: bytes) -> list[str]:
    """Every fault of `data`, with its line."""
    with pytest.raises(NotCap) as caught:
        checked(data)
    return [str(fault) for fault in caught.value.faults]


def test_a_message_with_everything_is_valid() -> None:
    everything = info(
        element("description", "d"),
        element("instruction", "i"),
        element("web", "https://a.vn"),
        element("contact", "c"),
        element("parameter", PAIR),
        element("parameter", PAIR),
        element(
            "resource",
            RESOURCE
            + element("size", "12")
            + element("uri", "https://a.vn/x.png")
            + element("derefUri", "aGE=")
            + element("digest", "x"),
        ),
        element(
            "area",
            AREA
            + element("polygon", "1,2 1,3 2,3 1,2")
            + element("circle", "1,2 3")
            + element("geocode", PAIR)
            + element("altitude", "10")
            + element("ceiling", "20.5"),
        ),
        headline=None,
        audience="all",
        effective="2026-11-23T04:25:16-00:00",
        onset="2026-11-23T04:25:16-00:00",
        expires="2026-11-23T04:25:16-00:00",
        senderName="x",
    )
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><any><thing/></any></Signature>'
    message = alert(
        everything,
        info(language="en"),
        signature,
        source="s",
        scope="Restricted",
        restriction="r",
        addresses='a "b c"',
        code="x",
        note="n",
        references="a,b,2026-11-23T04:25:16-00:00",
        incidents='a "b c"',
    )
    assert checked(message).name == "alert"


def test_the_namespace_may_have_a_prefix_and_a_place_to_look_for_the_schema() -> None:
    text = alert().decode().replace("<alert xmlns=", "<alert xmlns:xsi='urn:i' xsi:schemaLocation='a b' xmlns:c=")
    prefixed = re.sub(r"<(/?)([a-zA-Z]+)", r"<\1c:\2", text.replace("<?xml", "<?XML")).replace("<?XML", "<?xml")
    assert checked(prefixed.encode()).name == "alert"


@pytest.mark.parametrize("parent", ["alert", "info"])
def test_each_required_element_is_missed(parent: str) -> None:
    for rule in CHILDREN[parent]:
        if not rule.least:
            continue
        without = alert(**{rule.name: None}) if parent == "alert" else alert(info(**{rule.name: None}))
        line = 2 if parent == "alert" else 9
        assert faults(without) == [f"line {line}: missing required element `{rule.name}` in `{parent}`"]


@pytest.mark.parametrize(
    ("inner", "parent", "missing"),
    [
        (element("resource", element("mimeType", "x")), "resource", "resourceDesc"),
        (element("resource", element("resourceDesc", "x")), "resource", "mimeType"),
        (element("area", element("circle", "1,2 3")), "area", "areaDesc"),
        (element("parameter", element("value", "x")), "parameter", "valueName"),
        (element("parameter", element("valueName", "x")), "parameter", "value"),
    ],
)
def test_what_parts_must_have(inner: str, parent: str, missing: str) -> None:
    assert faults(alert(info(inner))) == [f"line 16: missing required element `{missing}` in `{parent}`"]


def test_every_pair_of_neighbours_must_stand_in_order() -> None:
    lines = alert().decode().split("\n")
    for place in range(2, 6):
        swapped = [*lines]
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        (said,) = faults("\n".join(swapped).encode())
        assert said.startswith(f"line {place + 2}: wrong order: `"), said


@pytest.mark.parametrize(
    ("name", "value"),
    [("identifier", "x"), ("scope", "Public"), ("references", "a,b,2026-11-23T04:25:16-00:00")],
)
def test_what_may_stand_once_may_not_stand_twice(name: str, value: str) -> None:
    once = alert(**{name: value}).decode()
    twice = once.replace(element(name, value), element(name, value) * 2)
    (said,) = faults(twice.encode())
    assert said.endswith(f"`{name}` stands in `alert` more than once")


@pytest.mark.parametrize(
    ("parent", "name", "words"),
    [
        ("alert", "status", schema.STATUSES),
        ("alert", "scope", schema.SCOPES),
        ("info", "category", schema.CATEGORIES),
        ("info", "urgency", schema.URGENCIES),
        ("info", "severity", schema.SEVERITIES),
        ("info", "certainty", schema.CERTAINTIES),
    ],
)
def test_words_are_those_of_the_standard(parent: str, name: str, words: tuple[str, ...]) -> None:
    def message(word: str) -> bytes:
        also = {"restriction": "x", "addresses": "x"}
        return alert(**{name: word, **also}) if parent == "alert" else alert(info(**{name: word}))

    for word in words:
        checked(message(word))
        (said,) = faults(message(word.lower()))
        assert f"`{name}` '{word.lower()}' is none of " in said


@pytest.mark.parametrize("kind", ["Update", "Cancel", "Ack", "Error"])
def test_what_refers_to_another_names_it(kind: str) -> None:
    assert checked(update(msgType=kind))
    (said,) = faults(update(msgType=kind, references=None))
    assert said == f"line 2: missing required element `references` in `alert`, since `msgType` is {kind}"


def test_a_scope_names_whom() -> None:
    (said,) = faults(alert(scope="Restricted"))
    assert "`restriction` in `alert`, since `scope` is Restricted" in said
    (said,) = faults(alert(scope="Private", addresses=""))
    assert "`addresses` in `alert`, since `scope` is Private" in said


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (alert(sent="2026-11-23T04:25:16Z"), "line 5: `sent` '2026-11-23T04:25:16Z' is no time"),
        (alert(identifier="a b"), "line 3: `identifier` must not contain spaces, commas, < or &"),
        (alert(sender="a&b"), "line 4: `sender` must not contain spaces, commas, < or &"),
        (alert(identifier=""), "line 3: `identifier` is empty"),
        (cancel("VN-7"), "line 9: `references` 'VN-7' is not of the form sender,identifier,sent"),
        (alert(info(event="")), "line 11: `event` is empty"),
        (alert(info(language="Tiếng Việt")), "line 9: `language` 'Tiếng Việt' is no language's tag"),
        (alert(info("text")), "line 9: `info` has text between its elements"),
        (alert(info(element("colour", "x"))), "line 16: `colour` is not known in `info`; `info` has language, "),
        (alert(info(element("web", "<b>x</b>"))), "line 16: `web` must be text and has an element, `b`"),
        (alert(info('<web x="1">https://a.vn</web>')), "line 16: `web` has an attribute, `x`"),
        (alert(info('<web xmlns="urn:other">x</web>')), "line 16: `web` is not known in `info`"),
        (alert(info(element("area", AREA + element("ceiling", "1")))), "line 16: `ceiling` needs `altitude`"),
        (alert(info(element("area", AREA + element("polygon", "1,2 3,4")))), "line 16: `polygon` has fewer than four"),
        (alert(info(element("area", AREA + element("circle", "1,2")))), "line 16: `circle` '1,2' is not of the form"),
        (alert(info(element("resource", RESOURCE + element("size", "x")))), "line 16: `size` 'x' is no whole number"),
        (
            alert(info(element("resource", RESOURCE + element("derefUri", "*")))),
            "line 16: `derefUri` is not in base 64",
        ),
        (root(""), "line 2: missing required element `identifier` in `alert`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(data: bytes, what: str) -> None:
    assert faults(data)[0].startswith(what)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<html/>", "line 1: the root element is `html`"),
        (b"<alert/>", "line 1: the root element `alert` is not in the namespace"),
        (b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.1"/>', "line 1: this is CAP 1.1; only 1.2 is taken"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "line 1: the root element is `feed`"),
    ],
)
def test_what_is_no_message_at_all(data: bytes, what: str) -> None:
    (said,) = faults(data)
    assert said.startswith(what)


def test_all_faults_are_told_in_the_order_of_the_lines() -> None:
    said = faults(alert(info(urgency="Soon", event=None), status="Real", sender=None))
    assert [fault.partition(":")[0] for fault in said] == ["line 2", "line 5", "line 8", "line 10"]


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    assert len(faults(alert(*[info(urgency="x")] * 50))) == 20
    assert max(map(len, faults(alert(info(urgency="x" * 10_000))))) < 200
