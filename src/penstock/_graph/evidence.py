"""Evidence about edges: whether they are declared, in the code, and seen in runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

EdgeName = tuple[str, str, str]
"""A flow, a predecessor as the flow names it, and the step declared after it."""

EdgeStatus = Literal["seen", "unseen", "declared-only", "contradicted", "undeclared"]


class CodeEvidence(NamedTuple):
    """What the code shows.

    Attributes:
        edges: For each declared edge whether some path of the code takes it; None, or
            no entry, if the code is inconclusive.
        undeclared: Calls before any declared predecessor, from caller to step.
    """

    edges: Mapping[EdgeName, bool | None]
    undeclared: Collection[EdgeName] = ()


class Sources(NamedTuple):
    """What a drawing is compared with.

    Attributes:
        runs: The flows of a conformance report.
        code: What the code shows; None if it was not read.
        last_runs: When the last run of a flow began, in words, where that is known.
        slowest: The p95 in ms and the name of the slowest step of a flow, likewise.
        is_draft: Whether nothing is declared yet.
    """

    runs: Mapping[str, Any]
    code: CodeEvidence | None = None
    last_runs: Mapping[str, str] = {}
    slowest: Mapping[str, tuple[float, str]] = {}
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class EdgeEvidence:
    """What is known about an edge, or about all edges that one line stands for.

    Attributes:
        is_declared: Whether an ``after`` declares it.
        is_in_code: Whether some path of the code takes it; None if the code was not
            read or is inconclusive.
        seen: How many calls took it.
        contradicted: In how many runs both steps ran, and never in this order.
    """

    is_declared: bool = True
    is_in_code: bool | None = None
    seen: int = 0
    contradicted: int = 0

    @property
    def status(self) -> EdgeStatus:
        """The evidence in one word."""
        if not self.is_declared:
            return "undeclared"
        if self.contradicted:
            return "contradicted"
        if self.seen:
            return "seen"
        return "declared-only" if self.is_in_code is False else "unseen"

    def plus(self, other: EdgeEvidence) -> EdgeEvidence:
        """Return the evidence for two declared edges together."""
        found = {self.is_in_code, other.is_in_code}
        return EdgeEvidence(
            is_in_code=True if True in found else None if None in found else False,
            seen=self.seen + other.seen,
            contradicted=self.contradicted + other.contradicted,
        )


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """What is known about one step.

    Attributes:
        calls: How often it was called.
        broken: How many of the calls came before any declared predecessor.
    """

    calls: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class FlowEvidence:
    """What is known about one flow.

    Attributes:
        runs: How many runs began in the processes that reported.
        edges: How many edges are declared.
        seen: How many of them were seen, and never contradicted.
        contradicted: How many of them were contradicted.
        undeclared: How many other edges were taken without being declared.
    """

    runs: int = 0
    edges: int = 0
    seen: int = 0
    contradicted: int = 0
    undeclared: int = 0


@dataclass(frozen=True, slots=True)
class GraphEvidence:
    """What is known about everything in a graph.

    Attributes:
        edges: By the numbers of the nodes at both ends.
        steps: By the number of the node.
        flows: By name.
        has_code: Whether the code was read.
        last_runs: When the last run of a flow began, as in the sources.
        slowest: The slowest step of a flow, likewise.
        is_draft: Whether nothing is declared yet.
    """

    edges: Mapping[tuple[int, int], EdgeEvidence]
    steps: Mapping[int, StepEvidence]
    flows: Mapping[str, FlowEvidence]
    has_code: bool
    last_runs: Mapping[str, str]
    slowest: Mapping[str, tuple[float, str]]
    is_draft: bool
