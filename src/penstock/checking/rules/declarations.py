"""The steps with their predecessors resolved, and ``after`` as source code."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from penstock._graph.names import Names
from penstock.checking.findings import Place
from penstock.checking.project.functions_and_classes import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._graph.names import Target
    from penstock._types import FlowInfo, StepInfo
    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.steps import Steps


@dataclass(frozen=True, slots=True)
class Member:
    """One name in an ``after``.

    Attributes:
        name: As declared.
        target: The step it names; None if there is none.
        bit: The bit of the step's function, 0 if its code is not checked.
        is_local: Whether it is a step of the same flow.
    """

    name: str
    target: Target | None
    bit: int
    is_local: bool


@dataclass(frozen=True)
class Declared:
    """One step with its ``after`` resolved."""

    flow: FlowInfo
    step: StepInfo
    groups: tuple[tuple[Member, ...], ...]
    function: Function | None

    @property
    def key(self) -> tuple[str, str]:
        """The names of flow and step."""
        return self.flow.name, self.step.name

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The members of all groups, each once."""
        return tuple({m.name: m for group in self.groups for m in group}.values())

    @property
    def is_after_others(self) -> bool:
        """Whether it comes after nothing but steps whose code is elsewhere."""
        known = all(member.target and not member.bit for member in self.members)
        return bool(self.members) and known

    @property
    def place(self) -> Place:
        """The line of ``after=``, else the first line of the step."""
        line = _line_of_after(self.function, self.step) if self.function else 0
        return Place(self.step.path, line or self.step.line)


class Declarations:
    """Every step of some flows.

    Attributes:
        names: Resolves names in ``after``.
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
        every = (self._declare(flow, step) for flow in flows for step in flow.steps)
        self._declared = {declared.key: declared for declared in every}

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._declared.values())

    def of(self, flow: str, step: str) -> Declared | None:
        """Return one step, or None."""
        return self._declared.get((flow, step))

    def sharing(self, declared: Declared) -> list[Declared]:
        """Return the steps that may have their ``after`` from the same marker."""
        return [one for one in self if _marker(one.step) == _marker(declared.step)]

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
    """Return ``after`` as it is written in code, with each name once."""
    groups = dict.fromkeys(tuple(dict.fromkeys(map(_quoted, g))) for g in after)
    items = [g[0] if len(g) == 1 else f"all_of({', '.join(g)})" for g in groups]
    return f"after={items[0]}" if len(items) == 1 else f"after=[{', '.join(items)}]"


def _quoted(name: str) -> str:
    text = repr(name)[1:-1]
    return '"' + text.replace("\\'", "'").replace('"', '\\"') + '"'


def _marker(step: StepInfo) -> tuple[object, ...]:
    return step.path, step.line, step.module, step.qualname, step.after


def _line_of_after(function: Function, step: StepInfo) -> int:
    """Return the line of the ``after=`` that names what *step* declares."""
    best = 0
    wanted = {_last_part(name) for name in step.predecessors}
    for node in getattr(function.node, "decorator_list", ()):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "after":
                if _names_in(keyword.value) == wanted:
                    return keyword.value.lineno
                best = best or keyword.value.lineno
    return best


def _names_in(after: ast.expr) -> set[str]:
    """Return the names in an ``after=``, without those of flows and objects."""
    if isinstance(after, ast.Constant):
        return {_last_part(str(after.value))}
    if isinstance(after, ast.Name | ast.Attribute):
        return {last_name(after)}
    nodes = after.args if isinstance(after, ast.Call) else getattr(after, "elts", [])
    return {name for node in nodes for name in _names_in(node)}


def _last_part(name: str) -> str:
    return name.rpartition(":")[2]
