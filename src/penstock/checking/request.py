"""What a check is asked, from the flows that were loaded and where they are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .check import Request, folders_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo

__all__ = ["request_for"]

_ASIDE = {"tests", "test", "docs", "conftest.py", "setup.py", "noxfile.py"}


def request_for(
    flows: Sequence[FlowInfo],
    known: Sequence[FlowInfo],
    manifests: Iterable[FlowInfo],
    import_path: Iterable[Path],
    *,
    is_whole: bool,
) -> Request:
    """Return the request to check *flows*, the code of which is imported.

    Args:
        flows: The flows to judge.
        known: Those, and whatever else came along.
        manifests: Flows of other services.
        import_path: Where the project's modules are.
        is_whole: Whether these are all that the project has.
    """
    roots = {path.resolve(): None for path in import_path}
    for flow in known:
        for step in flow.steps:
            root = _root_of(step.path, step.module)
            if root is not None:
                roots[root] = None
    own = {flow.service for flow in known if flow.service}
    files = {getattr(one, "__file__", None) for one in list(sys.modules.values())}
    folders = folders_of(known, list(roots))
    return Request(
        flows,
        known,
        [flow for flow in manifests if flow.service not in own],
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
