"""Whether declarations are worth a second look; this is asked at every start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .project.steps import UNREAD
from .rules.declaration_rules import judge_declarations
from .rules.declarations import Declarations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo

__all__ = ["is_doubtful"]


def is_doubtful(flows: Sequence[FlowInfo]) -> bool:
    """Tell whether a declaration may be wrong, as far as *flows* are all there is."""
    declarations = Declarations(flows, flows, UNREAD)
    return any(judge_declarations(declarations, flows)) or any(
        member.target is not None and member.target.step is None
        for declared in declarations
        for member in declared.members
    )
