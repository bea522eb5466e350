"""Read the code of the flows that a command is about, as the check needs it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._optional import requires
from penstock.checking.check import check

from ._output import note

with requires("rich", extra="cli"):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from penstock.checking.check import Checked, Request

__all__ = ["read_code"]


def read_code(request: Request) -> tuple[Checked, int]:
    """Check *request*; return the result, and how many questions jedi was asked."""
    # Here, so that the other commands need no jedi.
    from penstock.checking.resolvers import JediResolver  # noqa: PLC0415  # needs the extra

    root = request.roots[0] if request.roots else Path.cwd()
    resolver = JediResolver(root, request.roots)
    with _progress() as progress:
        checked = check(request, resolver, progress)
    if resolver.unasked:
        note(
            f"jedi was asked {resolver.asked} times, which is the limit; "
            f"{resolver.unasked} more names count as unknown."
        )
    return checked, resolver.asked


@contextmanager
def _progress() -> Generator[Callable[[int, int], None]]:
    """Show on a terminal how far the reading is."""
    console = Console(stderr=True)
    columns = (TextColumn("reading steps"), BarColumn(), MofNCompleteColumn())
    shown = Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    )
    with shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
