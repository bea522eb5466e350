"""What ``penstock check`` finds in a project that Django has set up."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.load import load_project
from penstock._project.settings import find_project
from penstock.checking.check import check
from penstock.checking.request import request_for
from penstock.checking.resolvers.registry import open_resolver
from penstock.checking.silencing.baseline import without_known
from penstock.checking.silencing.comments import without_ignored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.checking.findings import Finding

__all__ = ["of_source"]


def of_source() -> Iterable[Finding]:
    """Return what is found, in the order of places.

    Raises:
        PenstockError: The flows cannot be imported, or a file is not what it should be.
    """
    project = find_project(Path.cwd())
    loaded = load_project(project)
    request = request_for(*loaded, (), project.import_path, is_whole=True)
    with closing(open_resolver("auto", request.roots[0], request.roots)) as resolver:
        checked = check(request, resolver)
    found, _ = without_ignored(checked.findings, checked.paths, request.imported)
    if project.baseline is not None:
        found, _ = without_known(found, project.baseline)
    return sorted(found, key=lambda f: (f.place, f.code, f.label, f.message))
