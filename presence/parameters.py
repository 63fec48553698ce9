"""Parameters of a query: each checked by itself, and a wrong one refused by name.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

Choice = TypeVar("Choice", bound=str)


class Refused(ValueError):
    """A parameter is wrong.

    Args:
        field: Its name.
        detail: What is wrong with it and what would be taken.
    """

    def __init__(self, field: str, detail: str) -> None:
        self.field = field
        self.detail = detail
        super().__init__(field, detail)

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


def ours(pairs: Iterable[tuple[str, str]], names: Collection[str]) -> dict[str, str]:
    """Those of `pairs` that `names` has; others are passed over.

    Raises:
        Refused: One is given twice, and which is meant would be a guess.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in names:
            if name in given:
                raise Refused(name, "It is given twice.")
            given[name] = value
    return given


def one_of(name: str, value: str, choices: tuple[Choice, ...]) -> Choice:
    """The choice that `value` is.

    Raises:
        Refused: It is none of them.
    """
    for choice in choices:
        if value == choice:
            return choice
    raise Refused(name, f"It is one of {', '.join(choices)}.")
