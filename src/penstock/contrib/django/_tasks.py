"""Carry the flow from where a task of ``django.tasks`` is enqueued to its worker."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

from penstock._context import scope_var
from penstock._propagation.carrier import (
    continue_flow,
    judge_message,
    write_headers,
)
from penstock._runtime.header_names import FIELD
from penstock._steps.marked import find_marked
from penstock.contrib._http import ServedFlow

if TYPE_CHECKING:
    from collections.abc import Mapping


class FlowTasks:
    """Carry the flow with every task of a backend that you mix this into.

    Backends store a task's arguments as JSON and nothing else of the caller. So the
    headers that ``penstock.inject`` writes travel as one more keyword argument,
    ``penstock``, which the task's function never sees. Without it a task has a context
    of its own. Needs Django 6.
    """

    task_class: Any  # the backend's

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the backend's tasks start in the flow that was enqueued with them."""
        super().__init_subclass__(**kwargs)
        made_by: Any = getattr(cls, "task_class", None)
        if made_by is not None and not issubclass(made_by, _FlowTask):
            names = {"__slots__": (), "__module__": made_by.__module__}
            cls.task_class = type(made_by.__name__, (_FlowTask, made_by), names)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _connect()

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Enqueue *task* with the flow of the caller."""
        parent: Any = super()
        return parent.enqueue(task, args, _with_headers(task, kwargs))

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Enqueue *task* with the flow of the caller."""
        parent: Any = super()
        return await parent.aenqueue(task, args, _with_headers(task, kwargs))


class _FlowTask:
    __slots__ = ()

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the flow that was enqueued with it."""
        parent: Any = super()
        with _flow_of(kwargs.pop(FIELD, None)):
            return parent.call(*args, **kwargs)

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the flow that was enqueued with it."""
        parent: Any = super()
        with _flow_of(kwargs.pop(FIELD, None)):
            return await parent.acall(*args, **kwargs)


def _with_headers(task: Any, kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Judge the call that the task will make; return *kwargs* with its headers.

    Raises:
        FlowOrderError: The call breaks the order, and the mode is ``raise``.
    """
    mark = find_marked(task.func)
    steps = () if mark is None else mark.steps
    call = "" if mark is None else judge_message(mark)
    headers: dict[str, str] = {}
    write_headers(headers, flows=frozenset(step.flow for step in steps), call=call)
    return {FIELD: headers, **kwargs} if headers else kwargs


def _flow_of(headers: Any) -> AbstractContextManager[object]:
    """Return the flow that came with a task; without one, stay where the caller is."""
    if headers is None and scope_var.get() is not None:
        return nullcontext()
    return _continued(headers)


def _continued(headers: Any) -> ServedFlow:
    given = headers if isinstance(headers, dict) else None
    return ServedFlow((continue_flow(given).context, None, 0))


# Backends log that a task has failed when its function has returned; these two signals
# are around that. The first in may be the last out, so they are kept by task.
_running: dict[str, ServedFlow] = {}


def _connect() -> None:
    """Keep the worker in the task's flow until it has logged how the task ended."""
    signals: Any = import_module("django.tasks.signals")  # Django before 6 has none
    for signal, receiver in (
        (signals.task_started, _on_started),
        (signals.task_finished, _on_finished),
    ):
        signal.connect(receiver, weak=False, dispatch_uid="penstock")


def _on_started(task_result: Any, **_kwargs: Any) -> None:
    if isinstance(task_result.task, _FlowTask):
        flow = _running[task_result.id] = _continued(task_result.kwargs.get(FIELD))
        flow.__enter__()


def _on_finished(task_result: Any, **_kwargs: Any) -> None:
    flow = _running.pop(task_result.id, None)
    if flow is not None:
        flow.__exit__(None, None, None)
