from __future__ import annotations

from operations.errands import Errands
from operations.intercom import Answer, Answered, Ask, Asked


def test_a_question_goes_there_and_its_answer_back() -> None:
    errands = Errands()
    assert errands.ask(0, Ask(7, 1, "?"), {0, 1}) == (1, Asked(0, 7, "?"))
    assert errands.ask(1, Ask(7, 0, "!"), {0, 1}) == (0, Asked(1, 7, "!"))
    assert errands.answer(Answer(0, 7, "yes")) == (0, Answered(7, "yes"))
    assert errands.answer(Answer(0, 7, "yes again")) is None
    assert errands.answer(Answer(1, 7, "no")) == (1, Answered(7, "no"))
    assert len(errands) == 0


def test_nobody_is_there_to_be_asked() -> None:
    errands = Errands()
    assert errands.ask(0, Ask(7, 5, "?"), {0, 1}) == (0, Answered(7, None))
    assert len(errands) == 0


def test_whoever_ends_leaves_no_question_open() -> None:
    errands = Errands()
    errands.ask(0, Ask(1, 2, "?"), {0, 1, 2})
    errands.ask(1, Ask(1, 2, "?"), {0, 1, 2})
    errands.ask(0, Ask(2, 1, "?"), {0, 1, 2})
    errands.ask(2, Ask(1, 1, "?"), {0, 1, 2})
    assert errands.ended(2) == [(0, Answered(1, None)), (1, Answered(1, None))]
    assert len(errands) == 1
    assert errands.answer(Answer(2, 1, "late")) is None
    assert errands.answer(Answer(0, 2, "yes")) == (0, Answered(2, "yes"))
