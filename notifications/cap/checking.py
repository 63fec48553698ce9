"""Holds a file against the rules of CAP 1.2; what is wrong is told with line and element, all of it.

The rules that stand on one element are in ``notifications/cap/schema.py``; these depend on others (CAP 1.2, 3.2.1 to
3.2.4):

1. `restriction` says who may read what is Restricted, and `addresses` whom what is Private is for: each is required
   with its scope.
2. What updates, cancels, acknowledges or refuses a message names it in `references`.
3. A `ceiling` is the top of something whose bottom is the `altitude`.
4. A `derefUri` is the content itself, in base 64.

Pure.
"""

from __future__ import annotations

import re

from notifications.cap import markup
from notifications.cap.faults import Fault, NotCap
from notifications.cap.markup import Element
from notifications.cap.schema import CHILDREN, NAMESPACE, OLDER, SIGNATURE, Rule

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def checked(data: bytes) -> Element:
    """The root element of a valid message.

    Raises:
        NotCap: It is none; with all that is wrong.
    """
    root = markup.read(data)
    if root.name != "alert" or root.namespace != NAMESPACE:
        raise NotCap([Fault(root.line, root.path, _stranger(root))])
    faults = _within(root)
    faults += _scope(root) + _references(root)
    for info in _all(root, "info"):
        for area in _all(info, "area"):
            faults += _needs(area, "ceiling", "altitude")
        for resource in _all(info, "resource"):
            faults += _content(resource)
    if faults:
        raise NotCap(faults)
    return root


def _stranger(root: Element) -> str:
    if root.namespace in OLDER:
        return f"this is CAP {OLDER[root.namespace]}; only 1.2 is taken, {NAMESPACE}"
    if root.name == "alert":
        return f"the root element `alert` is not in the namespace {NAMESPACE}"
    return f"the root element is `{_short(root.name)}`, not `alert` of {NAMESPACE}"


def _within(parent: Element) -> list[Fault]:
    """What is wrong with what stands in `parent`."""
    rules = CHILDREN[parent.name]
    names = [rule.name for rule in rules]
    faults = _about(parent)
    reached, signed = 0, False
    counts = dict.fromkeys(names, 0)
    for child in parent.children:
        if parent.name == "alert" and child.namespace == SIGNATURE:
            signed = True
            continue
        if child.namespace != NAMESPACE or child.name not in counts:
            known = f"`{parent.name}` has {', '.join(names)}"
            faults.append(_fault(child, f"`{_short(child.name)}` is not known in `{parent.name}`; {known}"))
            continue
        rule = rules[names.index(child.name)]
        place = names.index(child.name)
        counts[child.name] += 1
        if signed:
            faults.append(_fault(child, f"wrong order: `{child.name}` stands after the signature"))
        elif place < reached:
            faults.append(_fault(child, f"wrong order: `{child.name}` must stand before `{names[reached]}`"))
        elif counts[child.name] == rule.most + 1:
            faults.append(_fault(child, f"`{child.name}` stands in `{parent.name}` more than once"))
        reached = max(reached, place)
        faults += _value(child, rule)
    for rule in rules:
        if counts[rule.name] < rule.least:
            faults.append(_fault(parent, f"missing required element `{rule.name}` in `{parent.name}`"))
    return faults


def _about(parent: Element) -> list[Fault]:
    if parent.text:
        return [_fault(parent, f"`{parent.name}` has text between its elements")]
    return _attributes(parent)


def _attributes(element: Element) -> list[Fault]:
    # Those of other namespaces, such as xsi:schemaLocation, are nobody's business.
    own = [name for name in element.attributes if " " not in name]
    return [_fault(element, f"`{element.name}` has an attribute, `{_short(own[0])}`")] if own else []


def _value(element: Element, rule: Rule) -> list[Fault]:
    if rule.check is None:
        return _within(element)
    if element.children:
        inner = element.children[0]
        return [_fault(inner, f"`{element.name}` must be text and has an element, `{_short(inner.name)}`")]
    if wrong := rule.check(element.text):
        return [_fault(element, f"`{element.name}` {wrong}"), *_attributes(element)]
    return _attributes(element)


def _scope(root: Element) -> list[Fault]:
    scope = _text(root, "scope")
    faults = []
    for name, needed in (("restriction", "Restricted"), ("addresses", "Private")):
        if scope == needed and not _text(root, name):
            faults.append(_fault(root, f"missing required element `{name}` in `alert`, since `scope` is {needed}"))
    return faults


def _references(root: Element) -> list[Fault]:
    kind = _text(root, "msgType")
    if kind in ("Update", "Cancel", "Ack", "Error") and not _all(root, "references"):
        return [_fault(root, f"missing required element `references` in `alert`, since `msgType` is {kind}")]
    return []


def _needs(parent: Element, name: str, other: str) -> list[Fault]:
    if _all(parent, name) and not _all(parent, other):
        return [_fault(_all(parent, name)[0], f"`{name}` needs `{other}`")]
    return []


def _content(resource: Element) -> list[Fault]:
    # Without its white space first: an expression that allows for it would look at some texts again and again.
    contents = _all(resource, "derefUri")
    wrong = [one for one in contents if _BASE64.fullmatch("".join(one.text.split())) is None]
    return [_fault(content, "`derefUri` is not in base 64") for content in wrong]


def _all(parent: Element, name: str) -> list[Element]:
    return [child for child in parent.children if child.name == name and child.namespace == NAMESPACE]


def _text(parent: Element, name: str) -> str:
    found = _all(parent, name)
    return found[0].text if found else ""


def _fault(element: Element, what: str) -> Fault:
    return Fault(element.line, element.path, what)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"
