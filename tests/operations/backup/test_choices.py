"""Nothing is kept in the store on which a backup has not decided."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from notifications.keys import Keys, SampleKeys, TokenKeys
from notifications.people.keys import PeopleKeys
from notifications.webhooks.keys import WebhookKeys
from operations.backup.choices import CHOICES, chosen
from operations.privacy import INVENTORY
from presence.history.keys import Keys as HistoryKeys

# What an inventory tells of in one line, and a backup decides on key by key.
COARSE = {"{announcements}:*", "{announcements}:webhooks:*", "{tokens}:*", "history:{*}:*"}


def names() -> Iterator[str]:
    """Every key that a class of keys makes, without the prefix."""
    rooms = (Keys("p"), SampleKeys("p"), TokenKeys("p"), PeopleKeys("p"), WebhookKeys("p"), HistoryKeys("p", "demo"))
    for keys in rooms:
        for attribute in dir(keys):
            if attribute.startswith("_"):
                continue
            value = getattr(keys, attribute)
            if callable(value):
                positional = [
                    one
                    for one in inspect.signature(value).parameters.values()
                    if one.kind is not inspect.Parameter.VAR_POSITIONAL
                ]
                value = value(*(5 if one.annotation == "int" else "x" for one in positional))
            yield from (one.removeprefix("p:") for one in ([value] if isinstance(value, str) else value))


@pytest.mark.parametrize("name", sorted(set(names())))
def test_every_key_is_decided_on(name: str) -> None:
    assert chosen(name) is not None


@pytest.mark.parametrize("pattern", [kept.pattern for kept in INVENTORY])
def test_every_form_that_is_told_of_is_decided_on(pattern: str) -> None:
    if pattern in COARSE:
        assert chosen(pattern.replace("*", "a new one")) is None, "what nobody knows must not be passed over"
    else:
        assert chosen(pattern.replace("*", "x")) is not None


def test_each_decision_is_whole() -> None:
    for choice in CHOICES:
        assert (choice.fate == "keep") is bool(choice.part) is bool(choice.kinds) is not bool(choice.why), choice


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("{people}:session:ab", "end"),
        ("{people}:passwords", "keep"),
        ("presence:{demo:0}:reading", "stay"),
        ("presence:secret", "keep"),
        ("{announcements}:once:ab", "end"),
        ("history:{demo}:views:2026", "keep"),
        ("history:{demo}:applied:ab", "stay"),
    ],
)
def test_what_is_kept_and_what_is_not(name: str, fate: str) -> None:
    choice = chosen(name)
    assert choice is not None
    assert choice.fate == fate


def test_another_key_is_nobody_s() -> None:
    assert chosen("{announcements}:votes") is None
