"""Read the code of the flows that a command is about, as the check needs it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._platform.optional import requires
from penstock._project.shown import note
from penstock.checking.check import check
from penstock.checking.resolvers.registry import open_resolver

with requires("rich", extra="cli"):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from penstock.checking.check import Checked, Request

__all__ = ["read_code"]


def read_code(request: Request, resolver: str = "auto") -> tuple[Checked, str]:
    """Check *request*; return the result, and who was asked how many questions."""
    root = request.roots[0] if request.roots else Path.cwd()
    session = open_resolver(resolver, root, request.roots)
    with closing(session), _progress() as progress:
        checked = check(request, session, progress)
    for one in session.notes():
        note(one)
    return checked, f"{session.questions} questions to {session.name}"


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
