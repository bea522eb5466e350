"""Which function of the source is which step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._types import FlowInfo, StepInfo

    from .functions_and_classes import Function
    from .program import Program

__all__ = ["UNREAD", "Steps", "steps_of"]


@dataclass(frozen=True)
class Steps:
    """Which function is which step, and which bit stands for it.

    Attributes:
        of: The steps of each function, one for each of its flows.
        functions: The function of each ``(flow, step)``.
        bits: The bit of each function.
    """

    of: dict[Function, tuple[StepInfo, ...]]
    functions: Mapping[tuple[str, str], Function]
    bits: dict[Function, int]

    def add_override(self, function: Function, step: Function) -> None:
        """Let *function*, an override without a marker, be the same step."""
        self.of[function] = self.of[step]
        self.bits[function] = self.bits[step]


UNREAD = Steps({}, {}, {})
"""No source is read: declarations can be judged without it."""


def steps_of(flows: Iterable[FlowInfo], program: Program) -> Steps:
    """Find the functions of the steps of *flows*."""
    of: dict[Function, tuple[StepInfo, ...]] = {}
    functions: dict[tuple[str, str], Function] = {}
    for flow in flows:
        for step in flow.steps:
            function = program.function_at(step.path, step.line)
            if function is not None:
                of[function] = (*of.get(function, ()), step)
                functions.setdefault((flow.name, step.name), function)
    bits = {function: 2 << place for place, function in enumerate(of)}
    return Steps(of, functions, bits)
