"""Background tasks have an owner that knows when they died."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.tasks import Caretaker, TaskEnded
from tests.patience import until


async def for_ever() -> None:
    await asyncio.Event().wait()


async def die() -> None:
    raise LookupError("lost")


async def end() -> None:
    """Comes to an end, which nothing here is meant to."""


@pytest.mark.parametrize(("work", "failure"), [(die, LookupError), (end, TaskEnded)])
async def test_a_task_that_ends_is_a_failure(work: object, failure: type[Exception]) -> None:
    caretaker = Caretaker()
    caretaker.start("steady", for_ever)
    assert not caretaker.failures
    with capture_logs() as logs:
        caretaker.start("brittle", work)  # type: ignore[arg-type]
        await until(lambda: caretaker.failures)
    assert list(caretaker.failures) == ["brittle"]
    assert isinstance(caretaker.failures["brittle"], failure)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task died", "brittle")]
    await caretaker.stop()


async def test_stopping_is_no_failure_and_waits_for_each_the_last_first() -> None:
    ended: list[str] = []

    def worker(name: str) -> None:
        async def work() -> None:
            try:
                await for_ever()
            finally:
                await asyncio.sleep(0)
                ended.append(name)

        caretaker.start(name, work)

    caretaker = Caretaker()
    for name in ("first", "second", "third"):
        worker(name)
    await asyncio.sleep(0)
    await caretaker.stop()
    assert ended == ["third", "second", "first"]
    assert not caretaker.failures


async def test_a_fault_while_stopping_keeps_nobody_from_being_stopped() -> None:
    async def stubborn() -> None:
        try:
            await for_ever()
        finally:
            raise OSError

    caretaker = Caretaker()
    caretaker.start("plain", for_ever)
    caretaker.start("stubborn", stubborn)
    await asyncio.sleep(0)
    await caretaker.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() in ("plain", "stubborn")]


async def test_a_name_is_used_once() -> None:
    caretaker = Caretaker()
    caretaker.start("one", for_ever)
    with pytest.raises(ValueError, match="'one' runs already"):
        caretaker.start("one", for_ever)
    await caretaker.stop()
