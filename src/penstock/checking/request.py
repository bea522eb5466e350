"""What a check reads and judges."""

from __future__ import annotations

import sys
from dataclasses import dataclass
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


def _siblings(folders: Iterable[Path]) -> list[Path]:
    """Return the packages and modules next to *folders*."""
    found: dict[Path, None] = {}
    for root in {folder.parent for folder in folders}:
        if root.name in {"site-packages", "dist-packages"}:
            continue
        for path in sorted(root.iterdir()):
            is_package = (path / "__init__.py").is_file()
            if path.name not in _ASIDE and (is_package or path.suffix == ".py"):
                found[path] = None
    return [path for path in found if path not in set(folders)]
