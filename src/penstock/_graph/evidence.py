"""What is known of a drawing's edges: declared, found in the code, seen in runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = [
    "EdgeEvidence",
    "EdgeName",
    "Evidence",
    "FlowEvidence",
    "Reading",
    "Sources",
    "Status",
    "StepEvidence",
]

EdgeName = tuple[str, str, str]
"""A flow, a predecessor as the flow names it, and the step that comes after."""

Status = Literal["seen", "unseen", "declared-only", "contradicted", "undeclared"]


class Reading(NamedTuple):
    """What the code shows.

    Attributes:
        edges: For each declared edge whether some path takes it; None, like an edge
            that is not there, is one of which the code does not tell.
        undeclared: Calls that no declared predecessor comes before, from caller to
            step.
    """

    edges: Mapping[EdgeName, bool | None]
    undeclared: Collection[EdgeName] = ()


class Sources(NamedTuple):
    """What a drawing is held against.

    Attributes:
        runs: The flows of a conformance report.
        code: What the code shows; None where nobody has read it.
    """

    runs: Mapping[str, Any]
    code: Reading | None = None


@dataclass(frozen=True, slots=True)
class EdgeEvidence:
    """What is known of one edge, or of the several that a line stands for.

    Attributes:
        is_declared: Whether some ``after`` has it.
        is_in_code: Whether some path of the code takes it; None where nobody has
            read the code, or that does not tell.
        seen: How many calls came this way.
        contradicted: In how many runs both steps ran, and never in this order.
    """

    is_declared: bool = True
    is_in_code: bool | None = None
    seen: int = 0
    contradicted: int = 0

    @property
    def status(self) -> Status:
        """What it comes to, in one word."""
        if not self.is_declared:
            return "undeclared"
        if self.contradicted:
            return "contradicted"
        if self.seen:
            return "seen"
        return "declared-only" if self.is_in_code is False else "unseen"

    def plus(self, other: EdgeEvidence) -> EdgeEvidence:
        """Return what is known of two declared edges together."""
        found = {self.is_in_code, other.is_in_code}
        return EdgeEvidence(
            is_in_code=True if True in found else None if None in found else False,
            seen=self.seen + other.seen,
            contradicted=self.contradicted + other.contradicted,
        )


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """What is known of one step.

    Attributes:
        calls: How often it was called.
        broken: How many of the calls came before what is declared to be first.
    """

    calls: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class FlowEvidence:
    """What is known of one flow.

    Attributes:
        runs: How many runs began where the reports are from.
        edges: How many edges are declared.
        seen: How many of those were seen, and never contradicted.
        contradicted: How many were contradicted.
        undeclared: How many more there are that nobody declared.
    """

    runs: int = 0
    edges: int = 0
    seen: int = 0
    contradicted: int = 0
    undeclared: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of all that a graph shows.

    Attributes:
        edges: By the numbers of the nodes at both ends.
        steps: By the number of the node.
        flows: By name.
        has_code: Whether somebody has read the code.
    """

    edges: Mapping[tuple[int, int], EdgeEvidence]
    steps: Mapping[int, StepEvidence]
    flows: Mapping[str, FlowEvidence]
    has_code: bool
