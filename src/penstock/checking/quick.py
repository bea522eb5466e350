"""Check declarations alone, at every start of a Django project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.source_files import Module, parsed

from .project.program import Program
from .project.steps import UNREAD, steps_of
from .rules.declaration_rules import judge_declarations
from .rules.declarations import Declarations
from .silencing.comments import without_ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo

    from .findings import Finding

__all__ = ["is_doubtful", "judge_quickly"]


def is_doubtful(flows: Sequence[FlowInfo]) -> bool:
    """Tell whether a declaration may be wrong, as far as *flows* alone show."""
    declarations = Declarations(flows, flows, UNREAD)
    return any(judge_declarations(declarations, flows)) or any(
        member.target is not None and member.target.step is None
        for declared in declarations
        for member in declared.members
    )


def judge_quickly(
    flows: Sequence[FlowInfo], known: Sequence[FlowInfo]
) -> list[Finding]:
    """Return what is wrong with the declarations of *flows*, and not ignored.

    It reads the source of the steps with findings, for the line of their ``after=``.
    """
    unplaced = judge_declarations(Declarations(flows, known, UNREAD), known)
    wrong = {(finding.flow, finding.step) for finding in unplaced}
    if not wrong:
        return []
    paths = {
        step.path: None
        for flow in flows
        for step in flow.steps
        if (flow.name, step.name) in wrong and Path(step.path).is_absolute()
    }
    read = [parsed(Path(path), path) for path in sorted(paths)]
    program = Program([module for module in read if isinstance(module, Module)])
    declarations = Declarations(flows, known, steps_of(flows, program))
    placed = judge_declarations(declarations, known)
    return without_ignored(placed, paths, frozenset())[0]
