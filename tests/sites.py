"""A service for all tests of a folder, for each of them a site of its own; a folder's ``conftest.py`` imports them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Service

SITES = 80


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service that all tests share, except those that end it."""
    with Service(tmp_path_factory.mktemp("service"), SITES) as service:
        yield service


@pytest.fixture
def mortal_service(tmp_path: Path) -> Iterator[Service]:
    """A service that a test may kill."""
    with Service(tmp_path, 1) as service:
        yield service


@pytest.fixture(scope="session")
def _sites(service: Service) -> Iterator[str]:
    return itertools.chain(service.sites)


@pytest.fixture
def site(_sites: Iterator[str]) -> str:
    """A site without readers and announcements."""
    return next(_sites)
