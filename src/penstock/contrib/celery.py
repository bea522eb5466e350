"""Carry the flow from the sender of a Celery task to the worker that runs it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from penstock._context import current_flow_id, leave, scope_var
from penstock._decorators import entrypoint, step
from penstock._platform.optional import requires
from penstock._platform.process import DISABLED
from penstock._propagation.carrier import judge_message, opened, write_headers
from penstock._runtime.header_names import FIELD, TRACE, InboundNames
from penstock._runtime.state import state
from penstock._steps.marked import MARKED_ATTR, find_marked
from penstock._steps.source import FunctionKind, kind_of, place_of
from penstock.errors import FlowDefinitionError

with requires("celery", extra="celery"):
    from celery import Celery, Task, shared_task, signals
    from celery._state import get_current_task
    from celery.app.task import Context
    from celery.canvas import Signature
    from celery.local import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping

    from penstock._context import Scope
    from penstock._declaring.mark import After
    from penstock._runtime.scopes import EnteredFlow
    from penstock._steps.marked import Marked

    Headers = dict[str, Any]

__all__ = ["flow_task", "install_celery_signals", "uninstall_celery_signals"]

ID_HEADER = "X-Correlation-ID"
"""Where the ID travels, whatever HTTP headers are configured.

Each header of a message becomes an attribute of ``task.request``. A name with a dash
can hide none of Celery's, as ``correlation_id`` or ``root_id`` would.
"""

_HEADERS = (ID_HEADER, FIELD, *TRACE)
_INBOUND = InboundNames((ID_HEADER,))
_BEFORE = "_before_penstock"
_ENTERED = "_entered_by_penstock"


class _Message(NamedTuple):
    """What is known of a message that is being sent.

    Attributes:
        flows: The flows of the steps that it may run; None for any.
        call: The step that it calls, if the call was judged and counted here.
    """

    flows: frozenset[str] | None = None
    call: str = ""


_NO_MESSAGE = _Message(flows=frozenset())
_sending: ContextVar[_Message] = ContextVar("penstock_message")
_app_class: Any = Celery
_task_class: Any = Task
_replaced: dict[str, Any] = {}  # what was on the class, by name
_worker_parts: list[tuple[Any, str, Any]] = []  # class, name, and what was there


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
    """Make a Celery task that is an entrypoint of a flow or, with *after*, a step.

    It returns what ``celery.shared_task`` does, so that ``delay``, ``s`` and the
    others are there. The sender of the task and the worker that runs it share one
    correlation ID: this connects ``install_celery_signals`` too.

    >>> from penstock import flow
    >>> @flow("async_processing")
    ... @flow_task
    ... def process_in_background(data): ...
    >>> @flow("async_processing")
    ... @flow_task(after=process_in_background, bind=True, autoretry_for=(OSError,))
    ... def publish(self, data): ...

    Args:
        func: The function, where the decorator is used bare.
        after: Steps that run before, as for ``penstock.step``.
        step_name: Name of the step; the function's own by default.
        tags: Free labels of the step.
        **options: Any option of ``shared_task``; ``name`` is the name of the task, and
            ``app`` the app to make it for, instead of every app.

    Raises:
        FlowDefinitionError: It cannot be such a task; the message says why.
    """
    # shared_task would take app= as an option, and send by the app of the thread.
    app = options.pop("app", None)
    make_task = shared_task if app is None else app.task

    def make(func: Any) -> Any:
        _refuse_task(func)
        _refuse_async(func)
        declare = entrypoint if after is None else step
        run = declare(name=step_name, after=after, tags=tags)(func)
        mark: Any = find_marked(run)
        mark.set_crossing()
        install_celery_signals()
        task = make_task(**options, **{MARKED_ATTR: mark})(
            _callable_directly(run, func, mark)
        )
        # The proxy would make its task, and finish the app, to answer setattr.
        object.__setattr__(task, MARKED_ATTR, mark)
        return task

    return make if func is None else make(func)


def install_celery_signals() -> None:
    """Carry the flow with every task that this process sends or runs.

    Call it once where the app is made, so that tasks without ``flow_task`` take part,
    and tasks that ``send_task`` names. Further calls do nothing, and
    ``uninstall_celery_signals`` is the inverse. Log records get a ``task_id``.

    Where conformance is on, the call of a task is judged when it is sent. A signal
    cannot stop a message, so ``Celery.send_task`` is wrapped for that. In a worker, so
    are the methods that log that a task was received, failed, or took too long.

    >>> install_celery_signals()
    >>> uninstall_celery_signals()
    """
    if DISABLED:
        return
    for uid, (signal, handler) in _HANDLERS.items():
        signal.connect(handler, weak=False, dispatch_uid=uid)
    if _app_class.send_task is not _send_task:
        _replaced["send_task"] = _app_class.send_task
        _app_class.send_task = _send_task
    state.record_fields = {**state.record_fields, "task_id": _task_id}


def uninstall_celery_signals() -> None:
    """Undo ``install_celery_signals``; without it, do nothing.

    >>> uninstall_celery_signals()
    """
    for uid, (signal, _) in _HANDLERS.items():
        signal.disconnect(dispatch_uid=uid)
    if _app_class.send_task is _send_task:
        _app_class.send_task = _replaced["send_task"]
    while _worker_parts:
        owner, name, before = _worker_parts.pop()
        setattr(owner, name, before)
    known = state.record_fields.items()
    state.record_fields = {name: read for name, read in known if read is not _task_id}


def _refuse_task(func: Any) -> None:
    if issubclass(type(func), Proxy):  # isinstance would make the task
        msg = (
            "@flow_task was put above a decorator that makes a task already. It makes "
            "the task itself and takes the options of @shared_task: use it alone."
        )
        raise FlowDefinitionError(msg)


def _refuse_async(func: Any) -> None:
    if kind_of(func) in {FunctionKind.ASYNC, FunctionKind.ASYNC_GENERATOR}:
        name = getattr(func, "__qualname__", repr(func))
        msg = (
            f"@flow_task cannot make a task of the async function {name} "
            f"({place_of(func)}): Celery calls a task and never awaits it, so its body "
            "would not run. Make it a plain function, which may call asyncio.run()."
        )
        raise FlowDefinitionError(msg)


def _callable_directly(
    run: Callable[..., Any], func: Any, mark: Marked
) -> Callable[..., Any]:
    """Return *run* so that, called with no message, it runs as one would make it."""
    if DISABLED:
        return run

    @wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        outer = scope_var.get()
        if outer is not None and outer[0].is_carried:
            return run(*args, **kwargs)
        token = scope_var.set(_called_here(outer, mark, _sent_with_failure(args)))
        try:
            return run(*args, **kwargs)
        finally:
            leave(token)

    # Celery checks arguments by getfullargspec, which looks behind no wrapper.
    call.__signature__ = signature(func)  # type: ignore[attr-defined]  # inspect's own
    return call


def _attach(headers: Headers, body: Any = None, **_: object) -> None:
    """Let a message, and what Celery sends if its task fails, carry the flow.

    Headers with another ID stay: a retry keeps the ID of its task, also when that is
    sent from a run inside. Where the worker process is lost Celery's main process,
    which is in no flow, sends the errbacks as they stand in the message.
    """
    sent = _sent_here(_sending.get(_Message()))
    if headers.get(ID_HEADER) in (None, "", sent.get(ID_HEADER)):
        headers.update(sent)
    carried = _found(headers)
    if carried and isinstance(body, tuple):
        _attach_to_errbacks(body[2], "errbacks", carried)
        chord = body[2].get("chord")
        if chord and chord.get("options", {}).get("link_error"):
            options = {**chord["options"]}
            _attach_to_errbacks(options, "link_error", carried)
            body[2]["chord"] = {**chord, "options": options}


def _attach_to_errbacks(place: Headers, key: str, carried: Headers) -> None:
    """Replace errbacks by copies: the caller may use its own in other runs."""
    errbacks = place.get(key) or ()
    if isinstance(errbacks, str) or hasattr(errbacks, "items"):
        errbacks = [errbacks]
    if errbacks:
        place[key] = [_with_headers(errback, carried) for errback in errbacks]


def _with_headers(errback: Any, carried: Headers) -> Any:
    if isinstance(errback, str):
        errback = Signature(errback)
    options = errback.get("options") or {}
    headers = {**carried, **(options.get("headers") or {})}
    return {**errback, "options": {**options, "headers": headers}}


def _enter(task: Any, **_: object) -> None:
    request = task.request
    outer, sent = scope_var.get(), _found_in(request)
    if request.is_eager and ID_HEADER not in sent:
        entered = _called_here(outer, find_marked(task))
    else:
        entered = _continued(sent, trust=None).context, None, 0
    vars(request).update({_BEFORE: outer, _ENTERED: entered})
    scope_var.set(entered)
    if request.is_eager:  # a retry is called with these headers, after this call
        request.headers = {**(request.headers or {}), **_sent_here()}


def _leave(task: Any, **_: object) -> None:
    """Restore the scope from before the task, whatever the task has left."""
    known = vars(task.request)
    known.pop(_ENTERED, None)
    if _BEFORE in known:
        scope_var.set(known.pop(_BEFORE))


def _connect_worker(**_: object) -> None:
    """Let a worker's main process handle messages in their flows, for its log lines.

    Celery sends no signal before it logs that a task was received, or that the process
    that ran it was lost.
    """
    from celery.worker.request import Request  # noqa: PLC0415  # only workers have it

    if _worker_parts:
        return
    owner: Any = Request
    _replace(_task_class, "start_strategy", _strategy_in_flow)
    _replace(owner, "on_failure", _request_in_flow)
    _replace(owner, "on_timeout", _request_in_flow)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    before = getattr(owner, name)
    _worker_parts.append((owner, name, before))
    setattr(owner, name, wraps(before)(make(before)))


def _strategy_in_flow(start: Any) -> Any:
    def start_in_flow(*args: Any, **kwargs: Any) -> Any:
        handle = start(*args, **kwargs)

        def handle_in_flow(message: Any, *args: Any, **kwargs: Any) -> Any:
            with _in_flow_of(message.headers):
                return handle(message, *args, **kwargs)

        return handle_in_flow

    return start_in_flow


def _request_in_flow(call: Any) -> Any:
    def call_in_flow(request: Any, *args: Any, **kwargs: Any) -> Any:
        with _in_flow_of(request.request_dict):
            return call(request, *args, **kwargs)

    return call_in_flow


@contextmanager
def _in_flow_of(headers: Headers | None) -> Generator[None]:
    """Enter the flow of a message, unless its task will get an ID of its own."""
    sent = _found(headers or {})
    if ID_HEADER not in sent:
        yield
        return
    flow = _continued(sent, trust=None)
    if flow.context.correlation_id != sent[ID_HEADER]:
        yield
        return
    with flow:
        yield


def _flush(**_: object) -> None:
    """Send what waits: a process of the pool ends without Python's exit handlers."""
    for recorder in (*state.recorders, state.judge):
        flush = getattr(recorder, "flush", None)
        if flush is not None:
            flush()


def _found_in(request: Any) -> Headers:
    """Return what came: each header is an attribute, but for eager calls."""
    return {**_found(request.headers or {}), **_found(vars(request))}


def _sent_with_failure(args: tuple[Any, ...]) -> Headers:
    """Return what came with the request that an errback is called with, if it is one.

    Celery's main process calls errbacks that take the request, where the worker's
    process is lost; what it makes up for a chord has nothing but the errbacks.
    """
    if not args or not isinstance(args[0], Context):
        return {}
    found = _found_in(args[0])
    errbacks: Any = args[0].errbacks or ()
    for errback in errbacks:
        if not found and hasattr(errback, "get"):
            found = _found(errback.get("options", {}).get("headers") or {})
    return found


def _found(headers: Mapping[str, Any]) -> Headers:
    return {name: headers[name] for name in _HEADERS if headers.get(name)}


def _sent_here(message: _Message = _NO_MESSAGE) -> Headers:
    """Return the headers of the flow that runs here, if one does."""
    carrier: dict[str, str] = {}
    write_headers(carrier, flows=message.flows, call=message.call)
    if FIELD not in carrier:
        return {}
    return {**_found(carrier), ID_HEADER: current_flow_id()}


def _called_here(
    outer: Scope | None, marked: Marked | None, sent: Headers | None = None
) -> Scope:
    """Return the scope of a task that is called in *outer*, with no message.

    Its context has what a message would bring. For the order of steps it is a direct
    call, in the run of the caller and below the steps that are open there.

    Args:
        outer: The scope of the caller.
        marked: The function of the task, if it is a step.
        sent: Headers to continue where there is none.
    """
    context = _continued(_sent_here() or sent or {}, trust="all").context
    if outer is None or outer[0].correlation_id != context.correlation_id:
        return context, None, 0
    context.progress = outer[0].progress
    steps = () if marked is None else marked.steps
    if context.progress is None and state.judge is not None and steps:
        context.progress = state.judge.follow(outer[0], steps[0].flow)
    return context, *outer[1:]


def _continued(sent: Headers, trust: str | None) -> EnteredFlow:
    """Continue what was sent, whatever headers ``configure`` has named for HTTP."""
    return opened(sent, trust, _INBOUND)


def _send_task(app: Any, name: str, *args: Any, **options: Any) -> Any:
    """Judge the call before anything is sent; a signal could not stop the message."""
    token = _sending.set(_judged(app, name, options))
    try:
        return _replaced["send_task"](app, name, *args, **options)
    finally:
        _sending.reset(token)


def _judged(app: Any, name: str, options: Mapping[str, Any]) -> _Message:
    """Judge the call that a message will make, if this process declares its step.

    What Celery sends by itself is left to the receiver: a retry, and whatever is sent
    when the function of a task has returned.
    """
    scope = scope_var.get()
    if scope is None or state.judge is None:
        return _Message()
    known = app._tasks  # noqa: SLF001  # app.tasks would finalize the app
    found = known[name] if name in known else None  # noqa: SIM401  # it may lack get()
    task = options.get("task_type") or found
    if task is None or name.startswith("celery."):  # those call other tasks
        return _Message()
    marked = find_marked(task)
    if marked is None:
        return _Message(frozenset())
    flows = frozenset(step.flow for step in marked.steps)
    given = (options.get("headers") or {}).get(ID_HEADER)
    is_other = given not in (None, "", scope[0].correlation_id)
    if is_other or options.get("retries"):
        return _Message(flows)
    running = get_current_task()
    if running is not None and vars(running.request).get(_ENTERED) is scope:
        return _Message(flows)
    return _Message(flows, judge_message(marked))


def _task_id() -> str | None:
    task = get_current_task()
    return None if task is None else task.request.id


_HANDLERS: dict[str, tuple[Any, Callable[..., None]]] = {
    "penstock.attach": (signals.before_task_publish, _attach),
    "penstock.enter": (signals.task_prerun, _enter),
    "penstock.leave": (signals.task_postrun, _leave),
    "penstock.worker": (signals.worker_init, _connect_worker),
    "penstock.flush": (signals.worker_process_shutdown, _flush),
}
