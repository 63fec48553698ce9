"""Reads the settings anew while the service runs: what a hangup (SIGHUP) sets off in the supervisor.

A file that would be refused at a start is refused here, in one line that names the key, and the old settings stay in
force, all of them. Of one that is good, what can change goes to the workers at once; what cannot is named, and waits
for a restart. The file is read from where it was found at the start, under the environment and the options of then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from settings.errors import SettingsError
from settings.live import Change, compare

log = structlog.get_logger(__name__)


class Reloading:
    """How it has gone so far.

    Attributes:
        failures: How often a file was refused.
        refused: Why the last one was; empty if it was not.
        waiting: Keys of the last good one that take a restart.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.refused = ""
        self.waiting: list[str] = []

    @property
    def notes(self) -> list[str]:
        """What an operator should know, a line each."""
        notes = []
        if self.refused:
            notes.append(f"settings: the file was refused, the old ones are in force: {self.refused}")
        if self.waiting:
            notes.append(f"settings: changed in the file, in force after a restart: {', '.join(self.waiting)}")
        return notes

    def reload(self, in_force: Any, reread: Callable[[], msgspec.Struct]) -> Change | None:
        """Reads the settings anew; None if they are refused."""
        try:
            change = compare(in_force, reread())
        except (SettingsError, ValueError) as error:
            self.failures += 1
            self.refused = " ".join(str(error).split())
            log.error("settings refused, the old ones stay in force", why=self.refused)
            return None
        self.refused = ""
        self.waiting = change.waiting
        log.info("settings reloaded", changed=change.applied)
        if change.waiting:
            log.warning("settings wait for a restart", settings=change.waiting)
        return change
