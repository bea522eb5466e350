"""What a drawing is held against: recorded runs, and the code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penstock._graph.evidence import Sources
from penstock._project.settings import find_project
from penstock._project.shown import note
from penstock.checking.code_evidence import reading_of
from penstock.checking.request import request_for
from penstock.checking.resolvers.registry import has_resolver
from penstock.checking.silencing.witnessed import read_evidence
from penstock.conformance import ConformanceReport

from ._reading import read_code
from ._reports import report_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._graph.evidence import CodeEvidence
    from penstock._project.load import Loaded
    from penstock.checking.silencing.witnessed import Evidence

__all__ = ["sources_of"]


def sources_of(
    loaded: Loaded, paths: Sequence[Path], *, reads_code: bool | None
) -> Sources:
    """Read the reports at *paths*, and the code of the flows.

    Args:
        loaded: The flows.
        paths: Files with a report of recorded runs, or folders of such.
        reads_code: Whether to read the code; by default where that can be done.

    Raises:
        ConfigurationError: A file is no report.
        MissingExtraError: The code is to be read, and nothing here can.
    """
    reports = report_files(paths)
    witnessed = read_evidence(reports)
    runs = ConformanceReport.merge(reports).to_dict()["flows"]
    if reads_code is None:
        reads_code = _can_read(loaded)
    return Sources(runs, _reading(loaded, witnessed) if reads_code else None)


def _can_read(loaded: Loaded) -> bool:
    if not any(_is_here(step.path) for flow in loaded.flows for step in flow.steps):
        note("The source of these flows is not here: edges are not looked for in it.")
        return False
    if not has_resolver():
        note(
            "Edges are not looked for in the code. To have that, too: "
            "pip install 'penstock[check]', or ty"
        )
        return False
    return True


def _is_here(path: str) -> bool:
    """Tell whether that is a file of this machine; a manifest's paths are relative."""
    return Path(path).is_absolute() and Path(path).is_file()


def _reading(loaded: Loaded, witnessed: Evidence) -> CodeEvidence:
    import_path = find_project(Path.cwd()).import_path
    request = request_for(*loaded, (), import_path, is_whole=False)
    checked, _ = read_code(request)
    return reading_of(checked, request.flows, request.imported, witnessed)
