"""What is wrong with the declarations of a project that seem wrong at first sight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.load import load_flows, load_project
from penstock._project.settings import find_project
from penstock._registry import declared_flows
from penstock.checking.quick import judge_quickly
from penstock.checking.silencing.baseline import without_known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.checking.findings import Finding

__all__ = ["of_declarations"]


def of_declarations() -> Iterable[Finding]:
    """Return what is wrong, with all flows there are: what is named may be elsewhere.

    Raises:
        PenstockError: They cannot be imported, or a file is not what it should be.
    """
    project = find_project(Path.cwd())
    manifests = [target for target in project.targets if target.endswith(".json")]
    if manifests:
        flows, others = declared_flows(), load_flows(manifests, project=project).known
        if not judge_quickly(flows, [*flows, *others]):
            return []
    found = judge_quickly(*load_project(project))
    if not found or project.baseline is None:
        return found
    kept, _ = without_known(found, project.baseline)
    return [finding for finding in kept if finding.code != "PEN902"]  # others' entries
