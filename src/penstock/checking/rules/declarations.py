"""What is declared, resolved: the predecessors of each step, and how they read."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock._graph.names import Names
from penstock.checking.findings import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._graph.names import Target
    from penstock._types import FlowInfo, StepInfo
    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.steps import Steps

__all__ = ["Declarations", "Declared", "Member", "written"]


@dataclass(frozen=True, slots=True)
class Member:
    """One name in an ``after``.

    Attributes:
        name: As declared.
        target: What it stands for; None where that is nothing.
        bit: The bit of its function, 0 where that is not read here.
        is_local: Whether it is a step of the same flow.
    """

    name: str
    target: Target | None
    bit: int
    is_local: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """One step with what its ``after`` stands for."""

    flow: FlowInfo
    step: StepInfo
    groups: tuple[tuple[Member, ...], ...]
    function: Function | None

    @property
    def members(self) -> tuple[Member, ...]:
        """Every member of every group once."""
        every = {m.name: m for group in self.groups for m in group}
        return tuple(every.values())

    @property
    def place(self) -> Place:
        """Where ``after=`` stands, else where the step begins."""
        line = _line_of_after(self.function, self.step) if self.function else 0
        return Place(self.step.path, line or self.step.line)


class Declarations:
    """Every step of some flows.

    Attributes:
        names: Who finds what a name stands for.
        functions: The function of each bit.
    """

    def __init__(
        self, flows: Iterable[FlowInfo], known: Iterable[FlowInfo], steps: Steps
    ) -> None:
        self.names: Names = Names(known)
        self.functions: dict[int, Function] = {
            bit: function for function, bit in steps.bits.items()
        }
        self._steps = steps
        self._declared = {
            (flow.name, step.name): self._declare(flow, step)
            for flow in flows
            for step in flow.steps
        }

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._declared.values())

    def of(self, flow: str, step: str) -> Declared | None:
        """Return one step, or None."""
        return self._declared.get((flow, step))

    def _declare(self, flow: FlowInfo, step: StepInfo) -> Declared:
        groups = tuple(
            tuple(self._member(name, flow) for name in group) for group in step.after
        )
        function = self._steps.functions.get((flow.name, step.name))
        return Declared(flow, step, groups, function)

    def _member(self, name: str, flow: FlowInfo) -> Member:
        target = self.names.find(name, flow)
        if target is None:
            return Member(name, None, 0, is_local=False)
        function = self._steps.functions.get((target.flow, target.name))
        bit = self._steps.bits[function] if function and target.step else 0
        return Member(name, target, bit, is_local=target.flow == flow.name)


def written(after: Iterable[Iterable[str]]) -> str:
    """Return ``after`` as it is written in code."""
    groups = [list(group) for group in after]
    items = [
        _quoted(group[0])
        if len(group) == 1
        else f"all_of({', '.join(map(_quoted, group))})"
        for group in groups
    ]
    if len(items) == 1:
        return f"after={items[0]}"
    return f"after=[{', '.join(items)}]"


def _quoted(name: str) -> str:
    text = repr(name)[1:-1]
    return '"' + text.replace("\\'", "'").replace('"', '\\"') + '"'


def _line_of_after(function: Function, step: StepInfo) -> int:
    """Return the line of the ``after=`` that names what *step* declares."""
    best = 0
    for node in getattr(function.node, "decorator_list", ()):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "after":
                names = {
                    one.value
                    for one in ast.walk(keyword.value)
                    if isinstance(one, ast.Constant)
                }
                if names and names == set(step.predecessors):
                    return keyword.value.lineno
                best = best or keyword.value.lineno
    return best
