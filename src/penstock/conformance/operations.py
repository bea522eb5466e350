"""Which records belong together: those of one run, and those of one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .records import Times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .records import RunRecord

__all__ = ["Moment", "Operations"]

Moment = tuple[str, Times]
"""The clock, and when a step began and ended by it."""


class Operations:
    """Records by run and by operation.

    An operation is what shares an ID: the root ID, or a correlation ID where only that
    was believed.
    """

    def __init__(self, records: Sequence[RunRecord]) -> None:
        self._joined: dict[str, str] = {}
        self._runs: dict[tuple[str, str], list[RunRecord]] = {}
        self._flows: dict[tuple[str, str], list[RunRecord]] = {}
        self._origins: dict[str, RunRecord] = {}
        for record in records:
            self._join(record.run or record.root, record.root)
        for record in records:
            self._runs.setdefault((record.flow, record.run), []).append(record)
            operation = self._operation(record)
            for place in {record.flow, f"{record.service}/{record.flow}"}:
                self._flows.setdefault((operation, place), []).append(record)
            if record.is_origin:
                known = self._origins.setdefault(operation, record)
                if record.opened < known.opened:
                    self._origins[operation] = record

    def parts(self, record: RunRecord) -> list[RunRecord]:
        """Return all records of the same run."""
        return self._runs[record.flow, record.run]

    def in_run(self, record: RunRecord, step: str) -> list[Moment]:
        """Return when a step of the same flow ran in the same run."""
        return _moments(self.parts(record), step)

    def elsewhere(self, record: RunRecord, place: str, step: str) -> list[Moment]:
        """Return when a step of another flow ran in the same operation."""
        return _moments(self._flows.get((self._operation(record), place), []), step)

    def origin(self, record: RunRecord) -> RunRecord | None:
        """Return where the operation of a record first left the process it began in."""
        return self._origins.get(self._operation(record))

    def _operation(self, record: RunRecord) -> str:
        return self._first(record.root)

    def _join(self, one: str, other: str) -> None:
        one, other = self._first(one), self._first(other)
        self._joined[max(one, other)] = min(one, other)

    def _first(self, name: str) -> str:
        known = self._joined.get(name, name)
        while known != name:
            name, known = known, self._joined.get(known, known)
        return name


def _moments(records: Sequence[RunRecord], step: str) -> list[Moment]:
    return [(one.clock, one.steps[step]) for one in records if step in one.steps]
