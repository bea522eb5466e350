"""Carry the flow into threads, which do not inherit context variables."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from penstock._context import scope_var
from penstock._propagation.bind import bind_flow
from penstock._runtime.scopes import outside_flow

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FlowThreadPoolExecutor",
    "install_threads",
    "threads_inherit",
    "uninstall_threads",
]

P = ParamSpec("P")
R = TypeVar("R")


def threads_inherit() -> bool:
    """Tell whether threads of this Python start with a copy of the context.

    In free-threaded builds of Python 3.14 and later they do, unless
    ``-X thread_inherit_context=0`` is set. Threads of executors outlive their tasks,
    so this does not help there.
    """
    return bool(getattr(sys.flags, "thread_inherit_context", False))


class FlowThreadPoolExecutor(ThreadPoolExecutor):
    """A ``ThreadPoolExecutor`` whose tasks run in the flow that submitted them.

    >>> import penstock
    >>> with FlowThreadPoolExecutor() as pool, penstock.start_flow("order-17"):
    ...     pool.submit(penstock.current_flow_id).result()
    'order-17'
    """

    def submit(
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        """Schedule *fn* to run in the flow of the caller."""
        return super().submit(bind_flow(fn), *args, **kwargs)


_installed: list[tuple[type, str, Any, Any]] = []


def install_threads() -> None:
    """Carry the flow into every ``Thread``, ``Timer`` and thread pool of the process.

    This replaces ``Thread.start`` and ``ThreadPoolExecutor.submit``, which
    ``loop.run_in_executor`` calls too, for the whole process. More calls do nothing;
    ``uninstall_threads`` is the inverse.

    >>> install_threads()
    >>> uninstall_threads()
    """
    if _installed:
        return
    for owner, name, make in (
        (threading.Thread, "start", _start_in_flow),
        (ThreadPoolExecutor, "submit", _submit_in_flow),
    ):
        before = getattr(owner, name)
        replacement = make(before)
        setattr(owner, name, replacement)
        _installed.append((owner, name, before, replacement))


def uninstall_threads() -> None:
    """Undo ``install_threads``; without it, do nothing.

    If another library has replaced a method since, the replacement stays, and
    penstock's part below it passes calls through untouched.

    >>> uninstall_threads()
    """
    while _installed:
        owner, name, before, replacement = _installed.pop()
        if getattr(owner, name) is replacement:
            setattr(owner, name, before)


def _start_in_flow(start: Callable[..., None]) -> Callable[..., None]:
    @wraps(start)
    def start_in_flow(self: threading.Thread) -> None:
        if _installed and scope_var.get() is not None:
            bound = bind_flow(self.run)

            def run(thread: threading.Thread) -> None:
                del thread.run  # or the thread and its run keep each other alive
                bound()

            # A method, as before: Sentry wraps the function below it.
            self.run = MethodType(run, self)  # type: ignore[method-assign]  # for a while
        start(self)

    return start_in_flow


def _submit_in_flow(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @wraps(submit)
    def submit_in_flow(
        self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        if not _installed or scope_var.get() is None:
            return submit(self, fn, *args, **kwargs)
        bound = bind_flow(fn)
        # The pool may start a thread here, which outlives this flow.
        with outside_flow():
            return submit(self, bound, *args, **kwargs)

    return submit_in_flow
