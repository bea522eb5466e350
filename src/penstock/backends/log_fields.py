"""The fields that lines in a flow have: one table for every logging library."""

from __future__ import annotations

import logging
import re
from functools import lru_cache, wraps
from sys import modules
from threading import get_ident
from typing import TYPE_CHECKING, Any

from penstock._context import caller_of, scope_var
from penstock._platform.call_ids import call_id
from penstock._runtime.failures import scope_of_failure
from penstock._runtime.state import say, state
from penstock.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping

    from penstock._context import Call, Scope

__all__ = [
    "ABSENT",
    "FIELDS",
    "FlowFilter",
    "checked_keys",
    "fill",
    "fill_late",
    "ids_of",
    "install_log_fields",
    "step_fields",
    "trace_fields",
    "uninstall_log_fields",
]

ABSENT = "-"
"""What a field says outside a flow, so that one format string works everywhere."""

_OF_SCOPES = (
    "flow",
    "step",
    "correlation_id",
    "flow_id",
    "root_id",
    "short_id",
    "parent_id",
    "run_id",
    "call_id",
    "service",
    "trace_id",
    "span_id",
)
FIELDS = (
    "flow_event",
    *_OF_SCOPES,
    "parent_call_id",
    "parent_step",
    "sent_at",
    "outcome",
    "duration_ms",
    "first_item_ms",
    "error_type",
    "started_at",
    "calls",
)
"""The table. ``flow_id`` is the same as ``correlation_id``."""

_IDS = ("correlation_id", "flow_id", "root_id", "short_id")
_ON_RECORDS = ("flow", "step", *_IDS, "call_id")
_UUID = re.compile("[0-9a-fA-F]{32}")

_installed: list[tuple[Any, Any, Any]] = []
_keys: tuple[str, ...] = ()


def step_fields(call: Call) -> dict[str, Any]:
    """Return the fields of the lines about *call*, None for what is not known."""
    fields = _scope_fields(call)
    outer = call[3]
    fields["parent_call_id"], fields["parent_step"] = caller_of(outer)
    if outer is not None and outer[1] is None and outer[0].sent_at is not None:
        fields["sent_at"] = outer[0].sent_at
    return fields


def _scope_fields(scope: Scope | Call) -> dict[str, Any]:
    context, step, number = scope[0], scope[1], scope[2]
    correlation_id = context.correlation_id
    root_id = context.given_root_id or correlation_id
    run_id = context.given_run_id or context.run_id
    if step is None:
        flow, name, this_call = context.flow, None, None
    else:
        flow, name = step.flow, step.name
        this_call = call_id(number) if number else run_id
    return {
        "flow": flow,
        "step": name,
        "correlation_id": correlation_id,
        "flow_id": correlation_id,
        "root_id": root_id,
        "short_id": short(root_id),
        "parent_id": context.parent_id,
        "run_id": run_id,
        "call_id": this_call,
        "service": state.service or None,
    }


def ids_of(scope: Scope) -> dict[str, Any]:
    """Return the fields that say which operation *scope* belongs to."""
    fields = _scope_fields(scope)
    return {name: fields[name] for name in _IDS}


@lru_cache(maxsize=64)  # the lines of a run come together
def short(root_id: str) -> str:
    """Return the first eight digits of an ID that has 32, otherwise all of it."""
    return root_id[:8] if _UUID.fullmatch(root_id) else root_id


def trace_fields() -> dict[str, str]:
    """Return the IDs of the current OpenTelemetry span, if there is one."""
    trace: Any = modules.get("opentelemetry.trace")
    if trace is None:
        return {}
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return {}
    return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}


def checked_keys(keys: Mapping[str, str]) -> Mapping[str, str]:
    """Return *keys*, field to key; keep the current step known if they need it.

    Raises:
        TypeError: No field has that name.
    """
    for name in keys:
        if name not in _OF_SCOPES:
            msg = (
                f"there is no log field {name!r}, only {', '.join(_OF_SCOPES)}."
                f"{did_you_mean(name, _OF_SCOPES)}"
            )
            raise TypeError(msg)
    if keys.keys() & {"flow", "step", "call_id"}:
        state.watch("log keys")
    return keys


def fill(
    entry: MutableMapping[str, Any],
    keys: Mapping[str, str],
    metadata: Iterable[str] = (),
    absent: str = "",
) -> None:
    """Add fields and metadata to *entry*, but keep what it has.

    Args:
        entry: A log record's attributes, or a structured log entry.
        keys: The key in *entry* for each field.
        metadata: The keys of metadata, which are the keys in *entry* as well.
        absent: Stands for what is not known; if empty, that is left out.
    """
    scope = scope_var.get()
    fields = {} if scope is None else _scope_fields(scope)
    if "trace_id" in keys or "span_id" in keys:
        fields |= trace_fields()
    for name, key in keys.items():
        value = fields.get(name) or absent
        if value:
            entry.setdefault(key, value)
    known = {} if scope is None else scope[0].metadata
    for key in metadata:
        value = known.get(key)
        if value is not None or absent:
            entry.setdefault(key, absent if value is None else value)


def install_log_fields(*keys: str) -> None:
    """Give every record of the process the fields of the flow that it is made in.

    They are ``correlation_id``, ``flow_id`` (the same), ``root_id``, ``short_id``,
    ``flow``, ``step`` and ``call_id``, and ``"-"`` outside a flow, so that one format
    string works for all loggers. A user's own ``extra`` of the same name is kept.
    A record with a traceback that is logged after its run has the fields of that run.
    More calls add their *keys*; ``uninstall_log_fields`` is the inverse.

    >>> import penstock
    >>> penstock.install_log_fields("order_id")
    >>> penstock.uninstall_log_fields()

    Args:
        *keys: Metadata that every record shows too, or more fields of the table.
    """
    global _keys  # noqa: PLW0603  # what all records of the process show
    _keys = tuple(dict.fromkeys((*_keys, *keys)))
    if _installed:
        return
    # Not a record factory: fields that it sets make the user's own
    # extra={"step": 3} raise, because extra comes after the factory. Not makeRecord: a
    # logger class may have its own. Handlers see records that no logger has handled.
    _replace(logging.Logger, lambda _: True)
    _replace(logging.Handler, lambda record: "short_id" not in record.__dict__)
    state.watch("log fields")


def _replace(owner: Any, is_wanted: Callable[[logging.LogRecord], bool]) -> None:
    handle = owner.handle

    @wraps(handle)
    def handle_in_flow(self: Any, record: logging.LogRecord) -> Any:
        if _installed and is_wanted(record):
            _fill_record(record, _keys)
        return handle(self, record)

    owner.handle = handle_in_flow
    _installed.append((owner, handle_in_flow, handle))


def uninstall_log_fields() -> None:
    """Undo ``install_log_fields``; without it, do nothing.

    If another library has replaced ``Logger.handle`` or ``Handler.handle`` since, the
    replacement stays, and penstock's part below it passes records through untouched.

    >>> import penstock
    >>> penstock.uninstall_log_fields()
    """
    global _keys  # noqa: PLW0603  # see install_log_fields
    _keys = ()
    while _installed:
        owner, replacement, handle = _installed.pop()
        if owner.handle is replacement:
            owner.handle = handle
    state.unwatch("log fields")


class FlowFilter(logging.Filter):
    """Give the records of one handler the same fields, as ``dictConfig`` can say.

    Put it on handlers: a filter of a logger misses the records of its children. With a
    ``QueueHandler``, put it on that one, not on the handlers behind the queue.

    >>> import logging, penstock
    >>> handler = logging.StreamHandler()
    >>> handler.addFilter(penstock.FlowFilter("order_id"))

    Args:
        *names: The same as for ``install_log_fields``.
        keys: The same once more, for ``dictConfig``, which can only name arguments.
    """

    def __init__(self, *names: str, keys: Iterable[str] = ()) -> None:
        super().__init__()
        self._keys = (*names, *keys)
        state.watch("flow filter")

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in what is missing; let every record through."""
        fill_late(record, self._keys, "FlowFilter")
        return True


def fill_late(record: logging.LogRecord, keys: tuple[str, ...], by: str) -> None:
    """Fill in a record on its way to a handler, if *by* runs where it was made."""
    if "short_id" not in record.__dict__ and _is_foreign(record):
        say(
            "%s got a record that was made in another thread, where its flow was. Call "
            "install_log_fields(), or put a FlowFilter on the QueueHandler.",
            by,
            once=f"{by} behind a queue",
        )
    _fill_record(record, keys)


def _is_foreign(record: logging.LogRecord) -> bool:
    """Tell whether *record* was made in another thread, perhaps in another flow."""
    return record.thread not in {None, get_ident()}


def _fill_record(record: logging.LogRecord, more: tuple[str, ...]) -> None:
    """Set what neither the user's ``extra`` nor the logging backend has set."""
    entry = record.__dict__
    scope = None if _is_foreign(record) else scope_var.get()
    if isinstance(record.exc_info, tuple) and (scope is None or scope[1] is None):
        failed = scope_of_failure(record.exc_info[1])
        if failed and (scope is None or failed[0].root_id == scope[0].root_id):
            scope = failed
    fields = {} if scope is None else _scope_fields(scope)
    for name in _ON_RECORDS:
        entry.setdefault(name, fields.get(name) or ABSENT)
    if more:
        metadata = {} if scope is None else scope[0].metadata
        fields |= trace_fields()
        for key in more:
            value = (fields if key in FIELDS else metadata).get(key)
            entry.setdefault(key, ABSENT if value is None else value)
    for name, read in state.record_fields.items():
        entry.setdefault(name, read() or ABSENT)
