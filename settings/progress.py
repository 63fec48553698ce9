"""How a command shows that it is at work: one line on stderr, on a terminal only, gone when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


def progress(*columns: ProgressColumn) -> Progress:
    """A progress display; without `columns` it shows what is done, and for how long."""
    # Here, since reading it takes longer than most of what a command does without anything to show.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    shown = columns or (TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*shown, console=console, transient=True, disable=not console.is_terminal)
