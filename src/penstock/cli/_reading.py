"""Read the code of the flows that a command is about, as the check needs it."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._optional import requires
from penstock.checking.asking import resolvers
from penstock.checking.check import Request, check, folders_of

from ._output import note
from ._project import find_project

with requires("rich", extra="cli"):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.checking.asking import Choice
    from penstock.checking.check import Checked

    from ._targets import Loaded

__all__ = ["read_code", "request_for"]


def request_for(
    loaded: Loaded, manifests: Sequence[FlowInfo], *, is_whole: bool
) -> Request:
    """Return what to check: the loaded flows, in the folders that hold them."""
    project = find_project(Path.cwd())
    roots = {path.resolve(): None for path in project.import_path}
    for flow in loaded.known:
        for step in flow.steps:
            root = _root_of(step.path, step.module)
            if root is not None:
                roots[root] = None
    own = {flow.service for flow in loaded.known if flow.service}
    others = [flow for flow in manifests if flow.service not in own]
    files = {getattr(one, "__file__", None) for one in list(sys.modules.values())}
    folders = folders_of(loaded.known, list(roots))
    return Request(
        loaded.flows,
        loaded.known,
        others,
        [*folders, *_siblings(folders)],
        list(roots),
        frozenset(str(Path(file).resolve()) for file in files if file),
        is_whole,
    )


def _root_of(path: str, module: str) -> Path | None:
    """Return the folder from which *module* is imported, if its name tells."""
    parts = module.split(".")
    file = Path(path)
    if not file.is_absolute() or not file.is_file():
        return None
    own = (
        [*file.parent.parts, file.stem]
        if file.stem != "__init__"
        else [*file.parent.parts]
    )
    if own[-len(parts) :] != parts:
        return None
    return Path(*own[: -len(parts)])


def _siblings(folders: Iterable[Path]) -> list[Path]:
    """Return the other packages and modules beside those of the project."""
    found: dict[Path, None] = {}
    for root in {folder.parent for folder in folders}:
        if root.name in {"site-packages", "dist-packages"}:
            continue
        for path in sorted(root.iterdir()):
            is_package = (path / "__init__.py").is_file()
            if path.name not in _ASIDE and (is_package or path.suffix == ".py"):
                found[path] = None
    return [path for path in found if path not in set(folders)]


_ASIDE = {"tests", "test", "docs", "conftest.py", "setup.py", "noxfile.py"}


def read_code(request: Request, choice: Choice = "auto") -> tuple[Checked, str]:
    """Check *request*; return the result, and who was asked how many questions."""
    root = request.roots[0] if request.roots else Path.cwd()
    asked = resolvers(choice, root, request.roots)
    with closing(asked), _progress() as progress:
        checked = check(request, asked, progress)
    for one in asked.notes:
        note(one)
    counts = [f"{count} questions to {name}" for name, count in asked.asked.items()]
    return checked, ", ".join(counts)


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
