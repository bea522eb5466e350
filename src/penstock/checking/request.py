"""What a check reads and judges."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from os.path import isfile  # Path.is_file raises where a folder cannot be entered
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo

__all__ = ["CheckRequest", "request_for"]

_ASIDE = {"tests", "test", "docs", "conftest.py", "setup.py", "noxfile.py"}


@dataclass(frozen=True)
class CheckRequest:
    """What to check.

    Attributes:
        flows: The flows to judge.
        known: Those, and all others that were declared along with them.
        manifests: Flows of other services, to look names up in.
        folders: Folders and files that hold the project's modules.
        roots: Folders that imports start from.
        imported: Files of the imported modules.
        is_whole: Whether to report modules in *folders* that declare steps and are
            not imported.
    """

    flows: Sequence[FlowInfo]
    known: Sequence[FlowInfo]
    manifests: Sequence[FlowInfo]
    folders: Sequence[Path]
    roots: Sequence[Path]
    imported: frozenset[str]
    is_whole: bool


def request_for(
    flows: Sequence[FlowInfo],
    known: Sequence[FlowInfo],
    manifests: Iterable[FlowInfo],
    import_path: Iterable[Path],
    *,
    is_whole: bool,
) -> CheckRequest:
    """Return the request to check *flows*, whose modules are imported.

    Args:
        flows: The flows to judge.
        known: Those, and all others that were declared along with them.
        manifests: Flows of other services.
        import_path: Folders that hold the project's modules.
        is_whole: Whether *flows* should be all flows of the project.
    """
    roots = {path.resolve(): None for path in import_path}
    for flow in known:
        for step in flow.steps:
            root = _root_of(step.path, step.module)
            if root is not None:
                roots[root] = None
    own = {flow.service for flow in known if flow.service}
    files = {getattr(one, "__file__", None) for one in list(sys.modules.values())}
    folders = _folders_of(known, list(roots))
    return CheckRequest(
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


def _folders_of(flows: Iterable[FlowInfo], roots: Sequence[Path]) -> list[Path]:
    """Return the top-level packages, or files, that hold the steps of *flows*."""
    found: dict[Path, None] = {}
    for flow in flows:
        for step in flow.steps:
            path = Path(step.path)
            for root in sorted(roots, key=lambda root: -len(root.parts)):
                if step.path and path.is_relative_to(root):
                    found[root / path.relative_to(root).parts[0]] = None
                    break
    return list(found)


def _siblings(folders: Sequence[Path]) -> list[Path]:
    """Return the packages and modules next to *folders*."""
    return [
        path
        for root in sorted({folder.parent for folder in folders})
        if root.name not in {"site-packages", "dist-packages"}
        for path in sorted(root.iterdir())
        if path.name not in _ASIDE and path not in folders
        if path.suffix == ".py" or isfile(path / "__init__.py")  # noqa: PTH113  # see above
    ]
