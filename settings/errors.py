"""What can be wrong with settings.

::

    SettingsError
    ├── UnreadableSettings   the file is missing, not readable, or not TOML
    └── RefusedSetting       a key is unknown, of the wrong type, out of range, or contradicts another
"""

from __future__ import annotations


class SettingsError(Exception):
    """Root of this room's errors; its text is one line that names the file and says what to do."""


class UnreadableSettings(SettingsError):
    """The file cannot be read as TOML."""

    def __init__(self, source: str, why: str) -> None:
        self.source = source
        self.why = why
        super().__init__(source, why)

    def __str__(self) -> str:
        return f"{self.source}: {self.why}"


class RefusedSetting(SettingsError):
    """One key cannot be accepted.

    Args:
        source: The file, or the environment variable, the value came from.
        key: The dotted key, ``gateway.ping_seconds``.
        why: What is wrong and what would be accepted.
    """

    def __init__(self, source: str, key: str, why: str) -> None:
        self.source = source
        self.key = key
        self.why = why
        super().__init__(source, key, why)

    def __str__(self) -> str:
        return f"{self.source}: {self.key}: {self.why}"
