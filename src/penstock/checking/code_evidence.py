"""What the code and the runs show about each declared edge, for a diagram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penstock._graph.evidence import CodeEvidence, Sources
from penstock._project.settings import find_project
from penstock._project.shown import note

from .check import check
from .recorded import read_evidence
from .request import request_for
from .resolvers.base import ResolverError
from .resolvers.registry import has_resolver
from .silencing.comments import without_ignored
from .silencing.witnessed import run_evidence, without_witnessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._graph.evidence import EdgeName
    from penstock._project.load import Loaded

    from .check import Progress
    from .findings import Finding
    from .silencing.witnessed import RunEvidence

__all__ = ["sources_of"]

_UNCALLED = frozenset({"PEN101", "PEN201"})


def sources_of(
    loaded: Loaded,
    paths: Sequence[str],
    progress: Progress,
    *,
    reads_code: bool | None,
) -> Sources:
    """Return what reports and code show about the edges of the flows.

    Args:
        loaded: The flows.
        paths: Conformance reports, logs, folders of either, and addresses.
        progress: Called with the number of steps read and the number of all steps.
        reads_code: Whether to read the code; by default, if that is possible.

    Raises:
        ConfigurationError: A file is neither a report nor a log.
        LogSourceError: There is nothing to read, or too much.
        MissingExtraError: The code should be read, and no resolver is installed; or a
            package is missing to read logs.
        ResolverError: The code should be read, and the resolver failed.
    """
    recorded = read_evidence(paths, loaded.known)
    for message in recorded.notes:
        note(message)
    runs = recorded.flows
    code = None
    try:
        if reads_code or (reads_code is None and _can_read(loaded)):
            code = _reading(loaded, run_evidence(runs), progress)
    except ResolverError as exc:
        if reads_code:
            raise
        note(f"Edges are not looked up in the code: {exc}")
    return Sources(runs, code, recorded.last_runs(), recorded.slowest())


def _can_read(loaded: Loaded) -> bool:
    if not any(_is_here(step.path) for flow in loaded.flows for step in flow.steps):
        note("The source of these flows is not here, so edges are not looked up in it.")
        return False
    if not has_resolver():
        note(
            "Edges are not looked up in the code. To look them up: "
            "pip install 'penstock[check]', or ty"
        )
        return False
    return True


def _is_here(path: str) -> bool:
    """Tell whether *path* is a file here; those in a manifest are relative."""
    return Path(path).is_absolute() and Path(path).is_file()


def _reading(loaded: Loaded, runs: RunEvidence, progress: Progress) -> CodeEvidence:
    """Return for each edge whether the code has it, and which calls come too early.

    An edge counts as unclear if a comment ignores its finding. A call that comes too
    early is left out once a run has kept the order, as in the findings.
    """
    import_path = find_project(Path.cwd()).import_path
    request = request_for(*loaded, (), import_path, is_whole=False)
    checked = check(request, progress=progress)
    for message in checked.notes:
        note(message)
    findings, _ = without_ignored(checked.findings, checked.paths, request.imported)
    absent = {(one.flow, *one.edge) for one in findings if one.code == "PEN202"}
    uncalled = {(one.flow, one.step) for one in findings if one.code in _UNCALLED}
    edges: dict[EdgeName, bool | None] = {}
    for flow in request.flows:
        for step in flow.steps:
            for before in step.predecessors:
                edge = flow.name, before, step.name
                is_absent = edge in absent or (flow.name, step.name) in uncalled
                edges[edge] = edge in checked.taken or (False if is_absent else None)
    return CodeEvidence(edges, list(_too_early(findings, runs)))


def _too_early(findings: Iterable[Finding], runs: RunEvidence) -> Iterable[EdgeName]:
    kept, _ = without_witnessed(findings, runs)
    for one in kept:
        if one.code == "PEN101":
            caller, step = one.edge
            yield one.flow, caller, step
