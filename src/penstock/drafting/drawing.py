"""Draw a plan, and say what the picture leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._graph.evidence import CodeEvidence, Sources
from penstock._project.shown import listed
from penstock._types import FlowInfo, StepInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .draft import Draft
    from .plan import DraftPlan

__all__ = ["evidence_of", "flow_of", "footer"]

_MAX_LISTED = 5


def flow_of(plan: DraftPlan, description: str = "") -> FlowInfo:
    """Return the flow that *plan* would declare."""
    labels = _labels(plan)
    steps = [
        StepInfo(
            labels[one.name],
            plan.flow,
            is_entrypoint=not place,
            after=tuple((labels[before],) for before in one.after or ()),
            crosses=one.is_sent,
            description=one.why,
            module=one.function.partition(":")[0],
            qualname=one.function.partition(":")[2],
            is_guess=one.is_guess,
        )
        for place, one in enumerate(plan.steps)
    ]
    return FlowInfo(plan.flow, tuple(steps), plan.owner, description)


def evidence_of(plan: DraftPlan) -> Sources | None:
    """Return how often recorded runs kept each edge; None without any such run."""
    if not any(one.calls for one in plan.steps):
        return None
    labels = _labels(plan)
    edges = [
        {
            "before": labels[before],
            "after": labels[one.name],
            "witnessed": count,
            "contradicted": 0,
        }
        for one in plan.steps
        for before, count in one.recorded
        if before in labels
    ]
    calls = {labels[one.name]: one.calls for one in plan.steps}
    runs = plan.steps[0].calls
    read = {
        (plan.flow, labels[before], labels[one.name]): None if one.is_guess else True
        for one in plan.steps
        for before in one.after or ()
        if before in labels
    }
    return Sources(
        {plan.flow: {"runs": runs, "steps": calls, "edges": edges, "violations": []}},
        CodeEvidence(read),
        is_draft=True,
    )


def footer(draft: Draft) -> Iterator[str]:
    """Yield what the picture leaves out, one line each."""
    plan = draft.plan
    if draft.reason:
        yield draft.reason
    several = [one.name for one in plan.steps if one.overrides]
    if several:
        yield f"Several overrides of one method are one step: {listed(several)}."
    guesses = [one.name for one in plan.steps if one.is_guess]
    if guesses:
        yield f"Guess, only a name says that it is called: {listed(guesses)}."
    if any(one.calls for one in plan.steps):
        yield (
            "Edges with a number were recorded, in so many runs. The others are only "
            "read from the code."
        )
    if draft.hubs:
        yield f"Many steps call these, so they are not drawn: {listed(draft.hubs)}."
    if draft.reached:
        drawn = len(plan.steps)
        yield f"{drawn} of {draft.reached} functions that the entry leads to are drawn."
    if plan.others:
        others = [one for one, _ in plan.others]
        yield f"Left out, to add to the plan: {listed(others)}."
    if draft.ends:
        yield "Here the picture ends, because the call is only known at run time:"
        yield from (f"  {one}" for one in draft.ends[:_MAX_LISTED])
        if len(draft.ends) > _MAX_LISTED:
            yield f"  and {len(draft.ends) - _MAX_LISTED} more"


def _labels(plan: DraftPlan) -> dict[str, str]:
    return {
        one.name: f"{one.name} ×{one.overrides}" if one.overrides else one.name
        for one in plan.steps
    }
