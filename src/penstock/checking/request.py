"""What to check: from loaded flows to the folders of their project."""

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
    """Return the request to check *flows*, whose modules are imported.

    Args:
        flows: The flows to check.
        known: Those, and all others that their modules declare.
        manifests: Flows of other services.
        import_path: Folders that the project's modules are imported from.
        is_whole: Whether the project should have no other flows.
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
    """Return the folder that *module* is imported from, if its file shows that."""
    file = Path(path)
    if not file.is_absolute() or not file.is_file():
        return None
    own = (file.parent if file.stem == "__init__" else file.with_suffix("")).parts
    parts = tuple(module.split("."))
    return Path(*own[: -len(parts)]) if own[-len(parts) :] == parts else None


def _siblings(folders: Sequence[Path]) -> list[Path]:
    """Return the other packages and modules beside those of the project."""
    return [
        path
        for root in sorted({folder.parent for folder in folders})
        if root.name not in {"site-packages", "dist-packages"}
        for path in sorted(root.iterdir())
        if path.name not in _ASIDE and path not in folders
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    ]
