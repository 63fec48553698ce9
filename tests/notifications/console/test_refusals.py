from __future__ import annotations

import pytest

from notifications import errors
from notifications.console.refusals import refusal
from notifications.errors import NotificationsError
from tests.notifications.making import announcement


def say(english: str, /, **values: object) -> str:
    return english % values if values else english


_ERRORS: list[tuple[NotificationsError, int]] = [
    (errors.Invalid([]), 422),
    (errors.NoSuchAnnouncement("x"), 404),
    (errors.ActionRefused("recalled", "approve"), 409),
    (errors.Forbidden("nobody approves of what they wrote themselves", "approve"), 403),
    (errors.Forbidden("who wrote what is live cannot correct it alone"), 403),
    (errors.Forbidden("this takes one of the roles editor on demo", "write"), 403),
    (errors.NeedsApproval(2, 1), 403),
    (errors.EndPassed(), 409),
    (errors.StaleRevision(1, announcement(author="user:lan", author_name="Lan")), 409),
    (errors.TooManyActive(5), 409),
    (errors.KeyReused(), 409),
    (errors.SendRefused("away"), 503),
    (errors.OutcomeUnknown("away"), 503),
    (errors.NotUnderstood("x"), 503),
    (errors.StoreAway("away"), 503),
]


@pytest.mark.parametrize(("error", "status"), _ERRORS, ids=lambda each: type(each).__name__)
def test_each_error_has_its_answer(error: NotificationsError, status: int) -> None:
    answer = refusal(error, say)
    assert answer.status == status
    assert bool(answer.text) == (status != 422)


def test_there_is_one_for_every_error_of_the_room() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__base__ is NotificationsError}
    assert kinds - {type(error) for error, _ in _ERRORS} == set()


def test_tells_who_was_quicker_and_what_it_is_by_now() -> None:
    assert "Lan changed it" in refusal(errors.StaleRevision(1, announcement(author_name="Lan")), say).text
    assert "“Recalled”" in refusal(errors.ActionRefused("recalled", "approve"), say).text


def test_not_sent_and_not_known_are_two_things() -> None:
    refused, unknown = (refusal(error("x"), say).text for error in (errors.SendRefused, errors.OutcomeUnknown))
    assert refused.startswith("Not sent")
    assert "will not happen twice" in unknown
