"""Which run a call belongs to: a new one, the one around it, or none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from penstock._context import Call, FlowContext, Scope
from penstock._platform.call_ids import call_numbers
from penstock._steps.marked import find_marked
from penstock.errors import NotInFlowError

from .state import say, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._steps.marked import Marked
    from penstock._steps.step import Step

    Args = tuple[Any, ...]
    Resolve = Callable[[Marked, Scope | None, Args], Call | None]


def step_call(marked: Marked, outer: Scope | None, args: Args) -> Call | None:
    """Return what a call of a step is, or None if it is a plain one.

    Args:
        marked: The function that is called.
        outer: The scope around the call, None outside a flow.
        args: The positional arguments; the first one has the class of a method.

    Raises:
        NotInFlowError: There is no flow, and the step's flow requires one.
    """
    if outer is None:
        return _outside(marked.first(args))
    context, running = outer[0], outer[1]
    if marked.only is not None:  # nothing to choose, and nothing overrides it
        return context, marked.only, next(call_numbers), outer
    if running is not None and _is_super_call(marked, running, args):
        return None
    step = marked.step_in(context.flow) or marked.first(args)
    return context, step, next(call_numbers), outer


def entry_call(marked: Marked, outer: Scope | None, args: Args) -> Call | None:
    """Return what a call of an entrypoint is, or None if it is a plain one.

    An entrypoint that is a step of the flow that runs acts as a step there. In
    a carried context a run takes over the ID and the metadata. In another run
    it is a run of its own, which knows its parent.
    """
    if outer is None:
        step = marked.first(args)
        if not step.is_entrypoint:
            return step_call(marked, outer, args)
        return FlowContext(state.new_id(), step), step, 0, None
    context, running = outer[0], outer[1]
    around = running or context.entry
    if around is not None and _is_super_call(marked, around, args):
        return None
    here = marked.step_in(context.flow)
    if here is not None and not here.is_entrypoint:
        return context, here, next(call_numbers), outer
    step = marked.first(args)
    if here is not None and here.owner is step.owner:
        step = here
    if not step.is_entrypoint:
        return context, step, next(call_numbers), outer
    return _new_run(context, step), step, 0, outer


def _new_run(outer: FlowContext, step: Step) -> FlowContext:
    if outer.is_carried:
        context = FlowContext(outer.correlation_id, step)
        context.parent_id = outer.parent_id
        context.home = outer
        context.given_run_id = outer.lend_run_id()
    else:
        context = FlowContext(state.new_id(), step)
        context.parent_id = outer.correlation_id
    if outer.is_request:
        context.is_request = True
    context.given_root_id = outer.root_id
    return context


def _is_super_call(marked: Marked, running: Step, args: Args) -> bool:
    """Tell whether an override calls the function that it overrides, by ``super()``."""
    if marked not in running.overrides:
        return False
    if running.owner is None or not args:  # a staticmethod: no self to compare
        return True
    klass = args[0] if isinstance(args[0], type) else type(args[0])
    held = (find_marked(vars(base).get(running.attr)) for base in klass.__mro__)
    return any(one is not None and one.func is running.func for one in held)


_WAYS_OUT = (
    "Call it from an @entrypoint, open a flow with penstock.start_flow(), or allow it "
    "with penstock.configure(outside='run')."
)


def _outside(step: Step) -> Call | None:
    mode = (step.overridden or step).outside or state.outside
    if mode == "run":
        context = FlowContext(state.new_id())
        context.given_flow = step.flow
        return context, step, 0, None
    what = f"Step {step.label} was called outside a flow ({step.place})."
    advice = _CELERY if _is_in_lone_task() else ""
    if mode == "warn":
        text = f"%s It runs as a plain function. {advice}".rstrip()
        say(text, what, once=("outside", step.label))
        return None
    msg = f"{what} {advice or _WAYS_OUT}"
    raise NotInFlowError(msg)


_CELERY = (
    "A Celery task called it, but nothing in this process has called "
    "penstock.contrib.celery.install_celery_signals(). Call that where the app is made."
)


def _is_in_lone_task() -> bool:
    """Tell whether a task of Celery runs here whose flow nothing brings along."""
    celery: Any = sys.modules.get("celery._state")
    is_connected = "task_id" in state.record_fields
    return celery is not None and not is_connected and bool(celery.get_current_task())
