"""Which function of the source is which step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .functions_and_classes import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from penstock._types import FlowInfo, StepInfo

    from .program import Program

__all__ = ["UNREAD", "Steps", "steps_of"]


@dataclass(frozen=True)
class Steps:
    """Which function is which step, and which bit stands for it.

    Attributes:
        of: The steps of each function, one for each of its flows.
        functions: The function of each ``(flow, step)``.
        bits: The bit of each function.
        overrides: The functions that are a step because they override one.
        overridden: What each of those overrides.
    """

    of: dict[Function, tuple[StepInfo, ...]]
    functions: Mapping[tuple[str, str], Function]
    bits: dict[Function, int]
    overrides: dict[Function, list[Function]] = field(
        default_factory=dict[Function, list[Function]]
    )
    overridden: dict[Function, list[Function]] = field(
        default_factory=dict[Function, list[Function]]
    )

    def add_overrides(
        self,
        taken: Iterable[Function],
        overrides: Callable[[Function, Container[Function]], Iterable[Function]],
        plain: Container[Function],
    ) -> None:
        """Let what overrides a step be that step, too.

        Args:
            taken: The methods that are steps.
            overrides: Returns what overrides a method, given all steps.
            plain: Methods that are left alone.
        """
        steps = dict(self.of)
        for function in taken:
            for override in dict.fromkeys(overrides(function, steps)):
                if override not in steps and override not in plain:
                    infos = self.of.get(override, ()) + steps[function]
                    bit = self.bits.get(override, 0) | self.bits[function]
                    self.of[override], self.bits[override] = infos, bit
                    self.overrides.setdefault(function, []).append(override)
                    self.overridden.setdefault(override, []).append(function)


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
