"""Carry the flow from whoever sends a Celery task to the worker that runs it."""

from __future__ import annotations

from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from penstock._carrier import FIELD, continue_flow, inject
from penstock._context import current_flow_id, scope_var
from penstock._decorators import entrypoint, step
from penstock._marks import MARK, mark_of
from penstock._optional import requires
from penstock._process import DISABLED
from penstock._scopes import EnteredFlow
from penstock._source import Kind, kind_of, place_of
from penstock.errors import FlowDefinitionError

with requires("celery", extra="celery"):
    from celery import shared_task, signals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from celery import Task

    from penstock._context import Scope
    from penstock._decorators import After

__all__ = ["flow_task", "install_celery_signals", "uninstall_celery_signals"]

ID_HEADER = "X-Correlation-ID"
"""Where the correlation ID travels: no name that a task's request uses itself."""


@overload
def flow_task(func: Callable[..., Any], /) -> Task: ...
@overload
def flow_task(
    *,
    after: After = ...,
    step_name: str | None = ...,
    tags: Collection[str] = ...,
    **options: Any,
) -> Callable[[Callable[..., Any]], Task]: ...
def flow_task(
    func: Any = None,
    /,
    *,
    after: After = None,
    step_name: str | None = None,
    tags: Collection[str] = (),
    **options: Any,
) -> Any:
    """Make a Celery task that is an entrypoint of a flow, or with *after* a step."""

    def make(func: Any) -> Any:
        _refuse_async(func)
        kind: Any = entrypoint if after is None else step
        run = kind(name=step_name, after=after, tags=tags)(func)
        task = shared_task(**options, **{MARK: mark_of(run)})(_task_function(run, func))
        object.__setattr__(task, MARK, mark_of(run))
        install_celery_signals()
        return task

    return make if func is None else make(func)


def install_celery_signals() -> None:
    """Carry the flow with every task of this process; more calls do nothing."""
    for name, (signal, handler) in _HANDLERS.items():
        signal.connect(handler, weak=False, dispatch_uid=name)


def uninstall_celery_signals() -> None:
    """Undo ``install_celery_signals``; without it, do nothing."""
    for name, (signal, _) in _HANDLERS.items():
        signal.disconnect(dispatch_uid=name)


def _refuse_async(func: object) -> None:
    if kind_of(func) in {Kind.ASYNC, Kind.ASYNC_GENERATOR}:
        msg = f"async {place_of(func)}"
        raise FlowDefinitionError(msg)


def _task_function(run: Callable[..., Any], func: Any) -> Callable[..., Any]:
    if DISABLED:
        return run

    @wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        scope = scope_var.get()
        if scope is not None and scope[0].is_carried:
            return run(*args, **kwargs)
        with _continued(_sent_here()):
            return run(*args, **kwargs)

    call.__signature__ = signature(func)  # type: ignore[attr-defined]
    return call


def _attach(headers: dict[str, Any], **_: object) -> None:
    headers.update(_sent_here())


def _enter(task: Any, **_: object) -> None:
    request = task.request
    sent = {name: _header(request, name) for name in (ID_HEADER, FIELD)}
    if request.is_eager and not sent[ID_HEADER]:
        sent = _sent_here()
    previous = scope_var.get()
    _continued(sent).__enter__()
    request.penstock_previous = (previous,)


def _leave(task: Any, **_: object) -> None:
    scope_var.set(task.request.penstock_previous[0])


def _header(request: Any, name: str) -> Any:
    return request.get(name) or (request.headers or {}).get(name)


def _sent_here() -> dict[str, str]:
    carrier = inject()
    if FIELD not in carrier:
        return {}
    return {ID_HEADER: current_flow_id() or "", FIELD: carrier[FIELD]}


def _continued(sent: dict[str, str]) -> EnteredFlow:
    return continue_flow(sent)


_HANDLERS: dict[str, tuple[Any, Callable[..., None]]] = {
    "penstock.attach": (signals.before_task_publish, _attach),
    "penstock.enter": (signals.task_prerun, _enter),
    "penstock.leave": (signals.task_postrun, _leave),
}
