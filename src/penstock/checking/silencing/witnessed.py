"""Silence findings that recorded runs have refuted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.checking.findings import Finding

_SILENCED = frozenset({"PEN101", "PEN201", "PEN202", "PEN301"})
_ORDER = frozenset({"PEN101", "PEN301"})


@dataclass(frozen=True)
class RunEvidence:
    """What recorded runs have shown.

    Attributes:
        witnessed: Edges that a run has taken, as (flow, before, after).
        broken: Steps that also ran too early, as (flow, step).
    """

    witnessed: frozenset[tuple[str, str, str]]
    broken: frozenset[tuple[str, str]]


def run_evidence(flows: Mapping[str, Any]) -> RunEvidence:
    """Return which edges runs have witnessed, and which steps ran too early."""
    return RunEvidence(
        frozenset(
            (name, edge["before"], edge["after"])
            for name, flow in flows.items()
            for edge in flow["edges"]
            if edge["witnessed"]
        ),
        frozenset(
            (name, violation["step"])
            for name, flow in flows.items()
            for violation in flow["violations"]
        ),
    )


def without_witnessed(
    findings: Iterable[Finding], evidence: RunEvidence
) -> tuple[list[Finding], int]:
    """Remove what runs have refuted; return the rest, and how many were removed."""
    findings = list(findings)
    kept = [finding for finding in findings if not _is_witnessed(finding, evidence)]
    return kept, len(findings) - len(kept)


def _is_witnessed(finding: Finding, evidence: RunEvidence) -> bool:
    if finding.code in _ORDER and (finding.flow, finding.step) in evidence.broken:
        return False  # runs have shown exactly this
    return finding.code in _SILENCED and any(
        (finding.flow, before, finding.step) in evidence.witnessed
        for before in finding.befores
    )
