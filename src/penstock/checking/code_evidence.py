"""Which declared edges the code has, for a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._graph.evidence import CodeEvidence

from .silencing.comments import without_ignored
from .silencing.witnessed import without_witnessed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._graph.evidence import EdgeName
    from penstock._types import FlowInfo

    from .check import Checked
    from .findings import Finding
    from .silencing.witnessed import Evidence

__all__ = ["reading_of"]

_UNCALLED = frozenset({"PEN101", "PEN201"})


def reading_of(
    checked: Checked,
    flows: Iterable[FlowInfo],
    imported: frozenset[str],
    witnessed: Evidence,
) -> CodeEvidence:
    """Return whether the code has each edge of *flows*, and which undeclared ones.

    An edge counts as unclear where a comment ignores its finding. As in the findings, a
    call that comes too early does not count once a run has kept the order.

    Args:
        checked: What the check found.
        flows: The flows that it checked.
        imported: Files of the imported modules.
        witnessed: The edges that runs have taken.
    """
    findings, _ = without_ignored(checked.findings, checked.paths, imported)
    absent = {(one.flow, *one.edge) for one in findings if one.code == "PEN202"}
    uncalled = {(one.flow, one.step) for one in findings if one.code in _UNCALLED}
    edges: dict[EdgeName, bool | None] = {}
    for flow in flows:
        for step in flow.steps:
            for before in step.predecessors:
                edge = flow.name, before, step.name
                is_absent = edge in absent or (flow.name, step.name) in uncalled
                edges[edge] = edge in checked.taken or (False if is_absent else None)
    return CodeEvidence(edges, list(_too_early(findings, witnessed)))


def _too_early(findings: Iterable[Finding], witnessed: Evidence) -> Iterable[EdgeName]:
    kept, _ = without_witnessed(findings, witnessed)
    for one in kept:
        if one.code == "PEN101":
            caller, step = one.edge
            yield one.flow, caller, step
