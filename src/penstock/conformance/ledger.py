"""The records of runs that cross processes, and what they decide together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .deciding import Verdicts, witnessed
from .flow_counts import Counts
from .records import Dropped, RunRecord, as_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Ledger"]


class Ledger:
    """What one process, or several, know of runs that cross."""

    def __init__(
        self, records: Iterable[RunRecord] = (), dropped: Iterable[Dropped] = ()
    ) -> None:
        self._records: list[RunRecord] = list(records)
        self._dropped: list[Dropped] = list(dropped)

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Ledger:
        """Return what JSON has of one; None is that of reports without."""
        if data is None:
            return cls()
        dropped = (
            Dropped(str(one["clock"]), int(one["runs"]), int(one["until"]))
            for one in data["dropped"]
        )
        return cls(map(as_record, data["runs"]), dropped)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON would have it; empty where nothing crossed."""
        if not self._records and not self._dropped:
            return {}
        return {
            "runs": [record.to_dict() for record in self._records],
            "dropped": [one._asdict() for one in self._dropped],
        }

    def add(self, other: Ledger) -> None:
        """Take over what another process knows."""
        self._records += other._records
        self._dropped += other._dropped

    def decide(
        self, flows: dict[str, Counts], *, is_complete: bool, margin_ns: int
    ) -> None:
        """Count what the records show; if they are complete, what they lack, too."""
        found, self._records = witnessed(self._records, margin_ns)
        for flow, before, after in found:
            flows.setdefault(flow, Counts()).count_edge((before, after), 1)
        if is_complete:
            self._convict(flows, margin_ns)
            self._records = []

    def _convict(self, flows: dict[str, Counts], margin_ns: int) -> None:
        edges = {name: list(flow.edges) for name, flow in flows.items()}
        verdicts = Verdicts(self._records, margin_ns)
        for finding, run, edge in verdicts.convicted(edges, self._dropped):
            counts = flows.setdefault(finding.flow, Counts())
            counts.count_finding(finding, run)
            if edge is not None:
                counts.count_edge(edge[1:], 0, 1)
