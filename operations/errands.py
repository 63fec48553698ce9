"""What workers ask each other by way of the supervisor: who asked whom, and what is still unanswered.

A question is answered exactly once to whoever asked, also if the one that was asked has ended. Neither question nor
answer is looked into. Sends nothing itself: returns what is to be sent.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TypeAlias

from operations.intercom import Answer, Answered, Ask, Asked

# To which worker, and what.
Errand: TypeAlias = tuple[int, Asked | Answered]


class Errands:
    """The questions under way."""

    def __init__(self) -> None:
        # Of each question by who asked and its number there: who was asked.
        self._open: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, asker: int, question: Ask, alive: Container[int]) -> Errand:
        """Worker `asker` asks another one, where those of `alive` can be asked."""
        if question.worker not in alive:
            return asker, Answered(question.number, None)
        self._open[asker, question.number] = question.worker
        return question.worker, Asked(asker, question.number, question.text)

    def answer(self, answer: Answer) -> Errand | None:
        """The answer to a question; None if whoever asked has ended."""
        if self._open.pop((answer.asker, answer.number), None) is None:
            return None
        return answer.asker, Answered(answer.number, answer.text)

    def ended(self, worker: int) -> list[Errand]:
        """Worker `worker` has ended: those who asked it are told, and it is told nothing any more."""
        unanswered = [key for key, asked in self._open.items() if asked == worker and key[0] != worker]
        self._open = {key: asked for key, asked in self._open.items() if worker not in (key[0], asked)}
        return [(asker, Answered(number, None)) for asker, number in unanswered]
