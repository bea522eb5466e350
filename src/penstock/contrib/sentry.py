"""Tag Sentry's events with the flow that they happened in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import scope_var
from penstock._platform.optional import requires
from penstock._runtime.failures import scope_of_failure
from penstock._runtime.state import state

with requires("sentry_sdk", extra="sentry"):
    from sentry_sdk import scope as sentry_scope

if TYPE_CHECKING:
    from penstock._context import Scope

__all__ = ["install_sentry", "uninstall_sentry"]


def install_sentry() -> None:
    """Tag every event of a run with ``correlation_id``, ``flow`` and ``step``.

    A fourth tag is ``root_id``, which finds the whole operation. Events are errors,
    messages and log lines that Sentry sends. An unhandled exception has the tags of the
    run that raised it, also where the framework reports it after the run. Tags that you
    set yourself are kept. Calling it again does nothing; ``uninstall_sentry`` is the
    inverse.

    >>> install_sentry()
    >>> uninstall_sentry()
    """
    if _tag not in sentry_scope.global_event_processors:
        sentry_scope.add_global_event_processor(_tag)
        state.watch("sentry")


def uninstall_sentry() -> None:
    """Undo ``install_sentry``; without it, do nothing."""
    if _tag in sentry_scope.global_event_processors:
        sentry_scope.global_event_processors.remove(_tag)
        state.unwatch("sentry")


def _tag(event: Any, hint: dict[str, Any]) -> Any:
    scope = _scope_of(hint)
    if scope is not None:
        context, step = scope[:2]
        found = {
            "correlation_id": context.correlation_id,
            "root_id": context.root_id,
            "flow": context.flow if step is None else step.flow,
            "step": None if step is None else step.name,
        }
        tags = {name: value for name, value in found.items() if value}
        event["tags"] = tags | dict(event.get("tags") or {})
    return event


def _scope_of(hint: dict[str, Any]) -> Scope | None:
    """Return where an event happened: for an exception, the step that raised it."""
    exc = (hint.get("exc_info") or (None, None))[1]
    failed = None if exc is None else scope_of_failure(exc)
    return failed or scope_var.get()
