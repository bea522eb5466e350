"""What recorded runs prove, so that the check need not doubt it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from penstock.checking.findings import Finding

__all__ = ["Evidence", "read_evidence", "without_witnessed"]

_SILENCED = frozenset({"PEN101", "PEN201", "PEN202", "PEN301"})
_ORDER = frozenset({"PEN101", "PEN301"})


@dataclass(frozen=True)
class Evidence:
    """What recorded runs have shown.

    Attributes:
        witnessed: Edges that were taken, as (flow, before, after).
        broken: Steps that also ran too early, as (flow, step).
    """

    witnessed: frozenset[tuple[str, str, str]]
    broken: frozenset[tuple[str, str]]


def read_evidence(paths: Iterable[Path]) -> Evidence:
    """Return what recorded runs have witnessed, and which steps they saw too early.

    Each file holds what ``penstock.conformance_report().to_dict()`` gives, as JSON.

    Raises:
        ConfigurationError: A file cannot be read, or holds something else.
    """
    witnessed: set[tuple[str, str, str]] = set()
    broken: set[tuple[str, str]] = set()
    for path in paths:
        try:
            flows = json.loads(path.read_text(encoding="utf-8"))["flows"]
            for name, flow in flows.items():
                witnessed |= {
                    (str(name), str(edge["before"]), str(edge["after"]))
                    for edge in flow["edges"]
                    if int(edge["witnessed"]) > 0
                }
                broken |= {(str(name), str(one["step"])) for one in flow["violations"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            why = getattr(exc, "strerror", None) or "it is no report of recorded runs"
            msg = f"evidence {str(path)!r} cannot be read: {why}."
            raise ConfigurationError(msg) from exc
    return Evidence(frozenset(witnessed), frozenset(broken))


def without_witnessed(
    findings: Iterable[Finding], evidence: Evidence
) -> tuple[list[Finding], int]:
    """Leave out what runs have shown to be otherwise; return the rest and how many."""
    findings = list(findings)
    kept = [finding for finding in findings if not _is_witnessed(finding, evidence)]
    return kept, len(findings) - len(kept)


def _is_witnessed(finding: Finding, evidence: Evidence) -> bool:
    if finding.code in _ORDER and (finding.flow, finding.step) in evidence.broken:
        return False  # runs have shown just what it says
    return finding.code in _SILENCED and any(
        (finding.flow, before, finding.step) in evidence.witnessed
        for before in finding.befores
    )
