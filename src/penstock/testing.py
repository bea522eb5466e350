"""For tests: run one step alone, watch the runs of a test, declare flows apart."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._config import configure
from ._context import Done
from ._registry import registry
from ._runtime.scopes import EnteredFlow, carried, start_flow
from ._runtime.state import state
from .conformance.counters import Counters
from .conformance.judge import process_judge
from .errors import FlowDefinitionError, UnknownFlowError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ._steps.step import Step
    from .conformance.run_progress import RunProgress

__all__ = ["Run", "in_flow", "isolated_registry", "watch_runs"]


def in_flow(
    flow: str,
    *,
    done: Collection[str] | None = None,
    correlation_id: str | None = None,
    **metadata: object,
) -> EnteredFlow:
    """Open a context of *flow*, to run one step of it alone.

    It earns no coverage: the order is the test's own. Where conformance is on and
    *done* is given, a step that is declared after something else breaks the order.

    >>> import penstock
    >>> from penstock.testing import in_flow
    >>> @penstock.flow("orders")
    ... @penstock.step(after="validate")
    ... def charge():
    ...     return penstock.current_flow_id()
    >>> @penstock.flow("orders")
    ... @penstock.entrypoint
    ... def validate(): ...
    >>> with in_flow("orders", done={"validate"}, correlation_id="test-1"):
    ...     charge()
    'test-1'

    Args:
        flow: Name of a declared flow.
        done: The steps that have ended; None to judge nothing.
        correlation_id: The ID to use; a new one if it is None.
        **metadata: What the step may read.

    Raises:
        UnknownFlowError: No flow of that name is declared.
        FlowDefinitionError: The flow has no step of a name in *done*.
    """
    _check(flow, done or ())
    context = start_flow(correlation_id).context
    context.given_flow = flow
    steps = frozenset(done or ())
    is_all = done is not None
    context.given_done = Done(state.service, flow, steps, is_all, is_rehearsal=True)
    return EnteredFlow(carried(context, metadata))


def _check(flow: str, done: Collection[str]) -> None:
    if flow not in registry:
        msg = f"there is no flow {flow!r}.{did_you_mean(flow, registry.names())}"
        raise UnknownFlowError(msg, flow=flow)
    names = [step.name for step in registry.steps(flow)]
    for name in done:
        if name not in names:
            near = did_you_mean(name, names)
            msg = f"done: flow {flow!r} has no step {name!r}.{near}"
            raise FlowDefinitionError(msg)


class Run:
    """One run that ``watch_runs`` saw.

    Attributes:
        flow: Name of its flow.
        run_id: Its correlation ID.
        path: The steps that were called, directly or by a message, in that order.
    """

    def __init__(self, flow: str, run_id: str) -> None:
        self.flow = flow
        self.run_id = run_id
        self.path: list[str] = []

    def __repr__(self) -> str:
        """Show the path."""
        return f"<Run {self.flow}: {' '.join(self.path)}>"

    def assert_visited(self, *steps: str) -> None:
        """Fail unless each of *steps* was called."""
        missing = [step for step in steps if step not in self.path]
        if missing:
            msg = f"run of {self.flow} did not visit {', '.join(missing)}: {self.path}"
            raise AssertionError(msg)

    def assert_not_visited(self, *steps: str) -> None:
        """Fail if one of *steps* was called."""
        visited = [step for step in steps if step in self.path]
        if visited:
            msg = f"run of {self.flow} visited {', '.join(visited)}: {self.path}"
            raise AssertionError(msg)


@contextmanager
def watch_runs() -> Iterator[list[Run]]:
    """Give a list of the runs that happen in the block; it grows as they do.

    >>> import penstock
    >>> from penstock.testing import watch_runs
    >>> @penstock.flow("orders")
    ... @penstock.entrypoint
    ... def receive(): ...
    >>> with watch_runs() as runs:
    ...     receive()
    >>> runs[0].path
    ['receive']
    """
    runs: list[Run] = []
    known: dict[RunProgress, Run] = {}

    def watch(progress: RunProgress, step: Step) -> None:
        run = known.get(progress)
        if run is None:
            run = known[progress] = Run(progress.plan.flow, progress.run)
            runs.append(run)
        run.path.append(step.name)

    was_off = state.judge is None
    if was_off:
        configure(conformance="record")
    process_judge.watchers = (*process_judge.watchers, watch)
    try:
        yield runs
    finally:
        process_judge.watchers = tuple(
            one for one in process_judge.watchers if one is not watch
        )
        if was_off:
            configure(conformance="off")


@contextmanager
def isolated_registry() -> Iterator[None]:
    """Start without flows, and forget those of the block at its end.

    What ran in the block earns no coverage.

    >>> import penstock
    >>> from penstock.testing import isolated_registry
    >>> with isolated_registry():
    ...     penstock.declared_flows()
    ()
    """
    flows = registry.swap({})
    before, process_judge.counters = process_judge.counters, Counters()
    try:
        yield
    finally:
        registry.swap(flows)
        process_judge.counters = before
