"""The flow context, and the one context variable that holds it."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ._process import DISABLED, on_fork
from .errors import NotInFlowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._step import Step

__all__ = [
    "FlowContext",
    "Scope",
    "current_flow_id",
    "get_flow_context",
    "get_flow_context_value",
    "scope_var",
    "set_flow_context_value",
]

_EMPTY: dict[str, Any] = {}
_lock = threading.Lock()


class FlowContext:
    """The correlation ID and the metadata that one run shares.

    Attributes:
        correlation_id: Name of the operation, on every log line and message.
        parent_id: Correlation ID of the run that started this one, or None.
        root_id: Correlation ID of the run that started it all.
        flow: Name of the flow that runs, ``""`` in a carried context.
        is_carried: Whether it came in through a transport or ``start_flow``.
    """

    # Also, for penstock itself: `entry`, the entrypoint that began the run; `home`,
    # the carried context whose metadata this run shares; `data`, the metadata, never
    # changed in place: a write replaces it, so that readers need no lock.

    __slots__ = (
        "__weakref__",
        "correlation_id",
        "data",
        "entry",
        "flow",
        "home",
        "is_carried",
        "parent_id",
        "root_id",
    )

    def __init__(
        self,
        correlation_id: str,
        flow: str = "",
        entry: Step | None = None,
        *,
        parent_id: str | None = None,
        root_id: str | None = None,
        home: FlowContext | None = None,
    ) -> None:
        self.correlation_id = correlation_id
        self.flow = flow
        self.entry = entry
        self.parent_id = parent_id
        self.root_id = root_id or correlation_id
        self.is_carried = False
        self.data = _EMPTY
        self.home = home

    def __repr__(self) -> str:
        """Show what identifies the context, not what may be secret in it."""
        kind = "carried " if self.is_carried else ""
        return f"<{kind}FlowContext {self.correlation_id} {self.flow or '-'}>"

    @property
    def metadata(self) -> Mapping[str, Any]:
        """A read-only view of the metadata as it is now; later writes don't show."""
        return MappingProxyType((self.home or self).data)

    def set(self, key: str, value: object) -> None:
        """Share *value* under *key* with every later reader in this run."""
        home = self.home or self
        with _lock:
            home.data = {**home.data, key: value}

    def fork(self) -> FlowContext:
        """Return an independent copy: same IDs, metadata of its own from here on.

        >>> import penstock
        >>> with penstock.start_flow(tenant="acme") as context:
        ...     copy = context.fork()
        ...     copy.set("tenant", "other")
        ...     context.metadata["tenant"]
        'acme'
        """
        copy = FlowContext(
            self.correlation_id,
            self.flow,
            self.entry,
            parent_id=self.parent_id,
            root_id=self.root_id,
        )
        copy.is_carried = self.is_carried
        copy.data = (self.home or self).data
        return copy


Scope = tuple[FlowContext, "Step | None", "Step | None"]
"""A context, the step that runs in it (None where nobody watches) and its caller."""

scope_var: ContextVar[Scope | None] = ContextVar("penstock_scope", default=None)
_scope = scope_var.get


def get_flow_context() -> FlowContext | None:
    """Return the context of the run that called, or None outside a flow.

    >>> import penstock
    >>> penstock.get_flow_context() is None
    True
    """
    scope = _scope()
    return None if scope is None else scope[0]


def current_flow_id() -> str | None:
    """Return the correlation ID of the run that called, or None outside a flow.

    >>> import penstock
    >>> with penstock.start_flow("order-17"):
    ...     penstock.current_flow_id()
    'order-17'
    """
    scope = _scope()
    return None if scope is None else scope[0].correlation_id


def set_flow_context_value(key: str, value: object) -> None:
    """Share *value* under *key* with every later step of this run.

    >>> import penstock
    >>> with penstock.start_flow():
    ...     penstock.set_flow_context_value("user", "alice")
    ...     penstock.get_flow_context_value("user")
    'alice'

    Raises:
        NotInFlowError: Called outside a flow, where nobody could read it.
    """
    scope = _scope()
    if scope is not None:
        scope[0].set(key, value)
    elif not DISABLED:
        msg = (
            f"cannot set {key!r}: no flow is running here. Call it from an "
            "@entrypoint or @step, or open a flow with penstock.start_flow()."
        )
        raise NotInFlowError(msg)


def get_flow_context_value(key: str, default: Any = None) -> Any:
    """Return what this run shares under *key*, or *default*, also outside a flow.

    >>> import penstock
    >>> penstock.get_flow_context_value("user", "nobody")
    'nobody'
    """
    scope = _scope()
    if scope is None:
        return default
    return scope[0].metadata.get(key, default)


def _unlock() -> None:
    """Replace the lock: another thread of the parent may have held it."""
    global _lock  # noqa: PLW0603  # the child's own lock
    _lock = threading.Lock()


on_fork(_unlock)
