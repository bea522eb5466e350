"""The line of this repository that a finding is shown at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.shown import shown_path
from penstock.checking.findings import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo
    from penstock.checking.findings import Finding

__all__ = ["place_here", "repository_path"]


def place_here(finding: Finding, flows: Sequence[FlowInfo]) -> Place | None:
    """Return the place of *finding*, or of the flow here that it is about.

    What another service declares is in a file of its repository, which a change of
    this one cannot show. Without any code here, paths of manifests are all there is.

    Args:
        finding: What was found.
        flows: The flows that were checked.
    """
    if Path(finding.place.path).is_absolute():
        return finding.place
    here = [
        (f"{flow.service}/{flow.name}", Place(step.path, step.line))
        for flow in flows
        for step in flow.steps
        if Path(step.path).is_absolute()
    ]
    if not here:
        return finding.place
    names = {name.partition(":")[0] for name in finding.befores}
    return min((place for name, place in here if name in names), default=None)


def repository_path(filename: str) -> str:
    """Return *filename* relative to the root of the checkout in a GitHub job.

    A step with ``working-directory`` runs below that root. Elsewhere, paths are
    relative to the current folder.
    """
    path, root = Path(filename), os.environ.get("GITHUB_WORKSPACE")
    if root and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return Path(shown_path(filename)).as_posix()
