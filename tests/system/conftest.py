"""A service of two workers for each test of this folder that asks for one; such a test may kill it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Service

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starting the service alone takes longer than a fast test may."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """It has the site ``demo`` and one worker a core, but two."""
    with Service(tmp_path, 0) as service:
        yield service
