"""A bar on the terminal for reading source code."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock._platform.optional import requires

with requires("rich", extra="cli"):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@contextmanager
def reading_progress() -> Generator[Callable[[int, int], None]]:
    """Show how many steps are read, if stderr is a terminal; give what updates it."""
    console = Console(stderr=True)
    columns = (TextColumn("reading steps"), BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
