"""Answer questions about stored runs in Python, for logs that fit into memory."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .calls import calls_of
from .figures import SAMPLED, chosen, figures_of, runs_of
from .finding import has_wanted, needles_of, root_of
from .judging import judge
from .lines import is_about_call
from .trees import operations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock._types import FlowInfo

    from .figures import RunFilter, StepFigures, StoredRun
    from .lines import ReadCounts, StoredLine
    from .log_files import LogFiles
    from .order_counts import OrderCounts

__all__ = ["PythonRuns", "lines_about_calls"]


class PythonRuns:
    """Stored runs in log files, in whatever layout; all calls are kept in memory."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files

    @property
    def counts(self) -> ReadCounts:
        """What was read and skipped, as far as it is known by now."""
        return self._files.counts

    def latest(self, wanted: RunFilter) -> list[StoredRun]:
        """Return the latest runs, the last one first."""
        roots: set[str | None] = set()
        if wanted.where:
            lines = self._files.containing(needles_of(wanted.where))
            roots.update(root_of(one) for one in lines if has_wanted(one, wanted.where))
        runs = runs_of(calls_of(self._lines))
        if wanted.where:
            runs = [run for run in runs if run.root_id in roots]
        return chosen(runs, wanted)

    def figures(self, wanted: RunFilter) -> list[StepFigures]:
        """Return the figures of each step, by flow, step and service."""
        return figures_of(calls_of(self._lines), wanted)

    def suspects(self, flows: Sequence[FlowInfo]) -> list[str]:
        """Return the root IDs of all operations that broke the order."""
        found = (
            operation.root_id
            for operation in operations_of(self._lines)
            if any(one.verdict == "out of order" for one in judge(operation, flows))
        )
        return list(dict.fromkeys(found))

    def count_clear(
        self,
        flows: Sequence[FlowInfo],  # noqa: ARG002  # part of RunSource
        counts: OrderCounts,  # noqa: ARG002  # the same
    ) -> list[str]:
        """Return the root IDs of all operations: judging them is as fast as asking."""
        return list(dict.fromkeys(filter(None, map(root_of, self._lines))))

    def lines_of(self, root_ids: Iterable[str]) -> Iterator[StoredLine]:
        """Yield the lines about the calls of operations, and the spans between them."""
        wanted = set(root_ids)
        traces = {
            line.fields.get("trace_id")
            for line in self._lines
            if line.is_span and root_of(line) in wanted
        }
        for line in self._lines:
            root = root_of(line)
            if root in wanted or (
                root is None and line.fields.get("trace_id") in traces
            ):
                yield line

    @cached_property
    def _lines(self) -> list[StoredLine]:
        found = list(lines_about_calls(self._files))
        self.counts.hits = sum(map(is_about_call, found))
        self.counts.is_sampled = any(map(_is_sampled, found))
        return found


def _is_sampled(line: StoredLine) -> bool:
    return SAMPLED.search(line.extra.get("trace_state", "")) is not None


def lines_about_calls(files: LogFiles) -> Iterator[StoredLine]:
    """Yield the lines about calls, and all spans."""
    texts = [key.rpartition(".")[2] for key in files.keys_of("flow_event")]
    needles = [
        needle for one in (*texts, "resourceSpans") for needle in needles_of(one)
    ]
    for line in files.containing(needles):
        if line.is_span or is_about_call(line):
            yield line
