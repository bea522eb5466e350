"""Open a flow that many messages cause: it has an ID of its own and links to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from penstock._platform.process import DISABLED
from penstock._propagation.carrier import continue_flow
from penstock._runtime.scopes import EnteredFlow
from penstock._runtime.state import LOGGER

from ._kafka_headers import received, say_once, text

if TYPE_CHECKING:
    from penstock._context import FlowContext

    Batch = Collection[Any] | Mapping[Any, Collection[Any]]

MAX_IDS = 100
"""How many IDs the line about a batch names; log lines have limits of their own."""


def flow_from_batch(messages: Batch, trust: str | None = None) -> EnteredFlow:
    """Open a fresh flow context that many messages cause.

    Its ID is new. ``causes`` of the context has what each message brought, and one
    log line at INFO names their IDs.

    >>> def load(messages):
    ...     with flow_from_batch(messages) as context:
    ...         return [cause.correlation_id for cause in context.causes]

    Args:
        messages: A list of messages, or what ``getmany()`` and ``poll()`` give: lists
            by partition. Not an iterator, whose messages would be lost.
        trust: As for ``flow_from_message``; with ``none`` there are no causes.

    Raises:
        ConfigurationError: *trust* is not ``none``, ``id`` or ``all``.
    """
    context = continue_flow(None, trust=trust).context
    found = (_cause(message, trust) for message in _flat(messages))
    context.given_causes = tuple(cause for cause in found if cause is not None)
    return EnteredFlow(context, on_enter=_log_causes)


def _flat(messages: Any) -> list[Any]:
    if isinstance(messages, Mapping):
        return [message for some in messages.values() for message in some]
    if isinstance(messages, Collection):
        return list(messages)
    say_once(
        "A batch was not looked into: it is %s, not a list of messages.",
        type(messages).__name__,
    )
    return []


def _cause(message: object, trust: str | None) -> FlowContext | None:
    """Return the context that *message* brings; None if it brings no ID."""
    try:
        headers = [(name, text(value)) for name, value in received(message)]
    except Exception:  # noqa: BLE001  # a message must not stop its batch
        return None
    context = continue_flow(headers, trust=trust).context
    # A fresh ID stands in no header.
    found = any(context.correlation_id in value for _, value in headers)
    return context if found else None


def _log_causes(context: FlowContext) -> None:
    """Log which IDs the context of a batch continues."""
    if not context.causes or DISABLED:
        return
    ids = list(dict.fromkeys(cause.correlation_id for cause in context.causes))
    more = f" and {len(ids) - MAX_IDS} more" if len(ids) > MAX_IDS else ""
    named = " ".join(ids[:MAX_IDS])
    own = context.correlation_id
    fields = {"correlation_id": own, "flow_id": own, "causes": ids[:MAX_IDS]}
    template = "batch.start %.8s continues %s%s"
    with suppress(Exception):  # a broken handler, with nowhere left to report it
        LOGGER.info(template, own, named, more, extra=fields, stacklevel=3)
