"""How a command shows that it is at work: one line on stderr, on a terminal only, gone when it is done."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn, TimeElapsedColumn


def progress(*columns: ProgressColumn) -> Progress:
    """A progress display; without `columns` it shows what is done, and for how long."""
    console = Console(stderr=True)
    shown = columns or (TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*shown, console=console, transient=True, disable=not console.is_terminal)
