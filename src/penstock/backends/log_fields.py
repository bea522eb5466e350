"""The fields that lines in a flow have: one table for every logging library."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from penstock._context import FlowContext, scope_var
from penstock._runtime.state import state
from penstock.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from penstock._context import Call
    from penstock._steps.step import Step

__all__ = [
    "ABSENT",
    "FlowFilter",
    "checked_keys",
    "fill",
    "install_log_fields",
    "step_fields",
    "uninstall_log_fields",
]

ABSENT = "-"
"""What a field says outside a flow, so that one format string works everywhere."""


def _flow_fields(context: FlowContext, step: Step | None) -> dict[str, Any]:
    """Return the table: each field, None for what is not known."""
    correlation_id = context.correlation_id
    return {
        "flow": context.flow if step is None else step.flow,
        "step": None if step is None else step.name,
        "correlation_id": correlation_id,
        "flow_id": correlation_id,
        "root_id": context.given_root_id or correlation_id,
        "parent_id": context.parent_id,
        "service": state.service or None,
    }


_NAMES = tuple(_flow_fields(FlowContext(""), None))
_RECORD_KEYS = {name: name for name in ("flow", "step", "correlation_id", "flow_id")}
_installed: list[tuple[Any, Any]] = []


def step_fields(call: Call) -> dict[str, Any]:
    """Return the fields of the lines about *call*, None for what is not known."""
    context, step, caller = call
    fields = _flow_fields(context, step)
    fields["caller"] = None if caller is None else caller.name
    return fields


def checked_keys(keys: Mapping[str, str]) -> Mapping[str, str]:
    """Return *keys*, field to key; keep the current step known if they need it.

    Raises:
        TypeError: No field has that name.
    """
    for name in keys:
        if name not in _NAMES:
            msg = (
                f"there is no log field {name!r}, only {', '.join(_NAMES)}."
                f"{did_you_mean(name, _NAMES)}"
            )
            raise TypeError(msg)
    if "flow" in keys or "step" in keys:
        state.watch("log keys")
    return keys


def fill(
    entry: MutableMapping[str, Any], keys: Mapping[str, str], absent: str = ""
) -> None:
    """Add fields to *entry*, but keep what it has.

    Args:
        entry: A log record's attributes, or a structured log entry.
        keys: The key in *entry* for each field.
        absent: Stands for what is not known; if empty, that is left out.
    """
    scope = scope_var.get()
    fields = {} if scope is None else _flow_fields(scope[0], scope[1])
    for name, key in keys.items():
        value = fields.get(name) or absent
        if value:
            entry.setdefault(key, value)


def install_log_fields() -> None:
    """Give every record ``flow``, ``step``, ``correlation_id`` and ``flow_id``.

    They are ``"-"`` outside a flow, so that one format string works for all
    loggers. A user's own ``extra`` of the same name is kept. More calls do
    nothing; ``uninstall_log_fields`` is the inverse.

    >>> import penstock
    >>> penstock.install_log_fields()
    >>> penstock.uninstall_log_fields()
    """
    if _installed:
        return
    make_record = logging.Logger.makeRecord

    def make_record_in_flow(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        if _installed:
            _fill_record(record)
        return record

    # Not a record factory: fields that it sets make the user's own
    # extra={"step": 3} raise, because extra comes after the factory.
    logging.Logger.makeRecord = make_record_in_flow  # type: ignore[method-assign]  # on purpose
    _installed.append((make_record_in_flow, make_record))
    state.watch("log fields")


def uninstall_log_fields() -> None:
    """Undo ``install_log_fields``; without it, do nothing.

    If another library has replaced ``Logger.makeRecord`` since, the replacement
    stays, and penstock's part below it passes records through untouched.

    >>> import penstock
    >>> penstock.uninstall_log_fields()
    """
    if not _installed:
        return
    make_record_in_flow, make_record = _installed.pop()
    if logging.Logger.makeRecord is make_record_in_flow:
        logging.Logger.makeRecord = make_record  # type: ignore[method-assign]  # its own
    state.unwatch("log fields")


class FlowFilter(logging.Filter):
    """Give the records of one handler the same fields, as ``dictConfig`` can say.

    Put it on handlers: a filter of a logger misses the records of its children.

    >>> import logging, penstock
    >>> handler = logging.StreamHandler()
    >>> handler.addFilter(penstock.FlowFilter())
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        state.watch("flow filter")

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in what is missing; let through what ``logging.Filter`` would."""
        _fill_record(record)
        return bool(super().filter(record))


def _fill_record(record: logging.LogRecord) -> None:
    """Set what neither the user's ``extra`` nor the logging backend has set."""
    fields = record.__dict__
    fill(fields, _RECORD_KEYS, ABSENT)
    for name, read in state.record_fields.items():
        fields.setdefault(name, read() or ABSENT)
