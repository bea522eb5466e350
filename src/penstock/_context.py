"""The flow context, and the one context variable that holds it."""

from __future__ import annotations

import copyreg
import threading
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._platform.call_ids import call_id, call_numbers
from ._platform.process import DISABLED, on_fork
from .errors import NotInFlowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._steps.step import Step

UNKNOWN_ANCESTORS = -1
"""Stands for the open steps above a call where they are not known."""

_EMPTY: Final[dict[str, Any]] = {}
_SEVERAL: Final = object()
_lock = threading.Lock()


class Done(NamedTuple):
    """What had ended, or was open above, where a carried context was sent from."""

    service: str
    flow: str
    steps: frozenset[str]
    is_all: bool = True
    """Whether *steps* is complete."""
    is_rehearsal: bool = False
    """Whether a test says so rather than a run."""


class FlowContext:
    """The correlation ID and the metadata that one run shares.

    Attributes:
        correlation_id: Name of the operation, on every log line and message.
        parent_id: Correlation ID of the run that started this one, or None.
        is_carried: Whether it came in through a transport or ``start_flow``.
    """

    # Most contexts never need these: a class attribute costs a run nothing.
    parent_id: str | None = None
    is_carried: bool = False
    is_request: bool = False  # internal: a web framework may answer its exceptions

    # Internal: the carried context whose metadata this run shares, and the metadata.
    # A write replaces the mapping and never changes it, so that readers need no lock.
    home: FlowContext | None = None
    data: dict[str, Any] = _EMPTY
    given_root_id: str | None = None
    given_flow: str = ""
    given_causes: tuple[FlowContext, ...] = ()

    # The ID of the call that began the run, once someone has asked or if it came with
    # a message. In a scope that call has the number 0.
    given_run_id: str | None = None

    # What brought a carried context: the call that sent it, its step, and when.
    given_call_id: str | None = None
    given_step: str | None = None
    sent_at: str | None = None

    # Where a run is logged as one line: its calls (the logging backend's own class).
    logged: Any = None

    # The span that sent a carried context, as W3C headers, and whether that span
    # waits for the answer, as one that sends a request does.
    sent_trace: Mapping[str, str] = _EMPTY
    is_awaited: bool = False

    # Where conformance is on: what had ended before it came here, and which step, as
    # flow/step, was called by the message that brought it and is counted.
    given_done: Done | None = None
    given_call: str = ""

    def __init__(self, correlation_id: str, entry: Step | None = None) -> None:
        self.correlation_id = correlation_id
        self.entry = entry
        # Where conformance is on: how far this run has come (its ``RunProgress``, a
        # class that this module may not import). Not a class attribute: every call
        # reads it, and Python 3.13 reads what only instances have in half the time.
        self.progress: Any = None

    def __repr__(self) -> str:
        """Show what identifies the context, not what may be secret in it."""
        kind = "carried " if self.is_carried else ""
        return f"<{kind}FlowContext {self.correlation_id} {self.flow or '-'}>"

    @property
    def flow(self) -> str:
        """Name of the flow that runs; in a carried context its sender's, or ``""``."""
        return self.given_flow if self.entry is None else self.entry.flow

    @property
    def root_id(self) -> str:
        """Correlation ID of the run that started it all, perhaps this one."""
        return self.given_root_id or self.correlation_id

    @property
    def run_id(self) -> str:
        """ID of this run: the call ID of its entrypoint."""
        if self.given_run_id is None:
            # One number, though several threads may ask at once.
            number = self.__dict__.setdefault("number", next(call_numbers))
            self.given_run_id = call_id(number)
        return self.given_run_id

    def lend_run_id(self) -> str | None:
        """Return the ID of the run that begins in this carried context, if it has one.

        The first run takes the ID that steps called directly in the context have, so
        that a background task belongs to the run of its request. If a second run
        begins, later ones belong to neither. A message has the ID of its sender's run.
        """
        if self.given_run_id is not None and "number" not in self.__dict__:
            return None
        this = object()
        first = self.__dict__.setdefault("first_run", this)
        if first is this:
            return self.run_id
        if first is not _SEVERAL:
            self.__dict__.update(first_run=_SEVERAL, number=next(call_numbers))
            self.given_run_id = None
        return None

    @property
    def causes(self) -> tuple[FlowContext, ...]:
        """What each message of a batch brought; empty where there is one cause."""
        return (self.home or self).given_causes

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
        copy = FlowContext(self.correlation_id, self.entry)
        copy.given_flow = self.given_flow
        copy.parent_id = self.parent_id
        copy.given_root_id = self.given_root_id
        copy.given_run_id = self.run_id
        copy.given_call_id = self.given_call_id
        copy.given_step = self.given_step
        copy.sent_at = self.sent_at
        copy.given_causes = self.causes
        copy.is_carried = self.is_carried
        copy.is_request = self.is_request
        copy.sent_trace = self.sent_trace
        copy.is_awaited = self.is_awaited
        copy.progress = self.progress
        copy.logged = self.logged
        copy.given_done = self.given_done
        copy.data = (self.home or self).data
        return copy


Scope = tuple[FlowContext, "Step | None", int, *tuple[int, ...]]
"""What the context variable holds: a context, the step that runs in it, its call.

The call is a number for ``call_id``; 0 is the call that began the run. The step is None
in a carried context. Step and call may be outdated where nothing watches. Where
conformance is on, the open steps follow, as the bits of a plan.
"""

Call = tuple[FlowContext, "Step", int, "Scope | None"]
"""One call: its own scope (context, step and number), and the scope around it."""


def caller_of(scope: Scope | None) -> tuple[str | None, str | None]:
    """Return the ID and the step of the call that a call in *scope* comes from.

    Directly in a carried context it is what the sender says of itself.
    """
    if scope is None:
        return None, None
    context, step, number = scope[0], scope[1], scope[2]
    if step is None:
        return context.given_call_id, context.given_step
    return call_id(number) if number else context.run_id, step.name


scope_var: ContextVar[Scope | None] = ContextVar("penstock_scope", default=None)
_scope = scope_var.get


def _this_variable() -> ContextVar[Scope | None]:
    return scope_var


def _reduce_variable(var: ContextVar[Any]) -> tuple[Any, tuple[()]]:
    """Pickle ``scope_var`` by name, and no other variable.

    cloudpickle sends a function of ``__main__`` by value, with the globals that it
    uses, and those of a wrapper are methods of this variable.
    """
    if var is not scope_var:
        msg = f"cannot pickle {type(var).__name__!r} object"
        raise TypeError(msg)
    return _this_variable, ()


copyreg.pickle(ContextVar, _reduce_variable)


def leave(token: Token[Scope | None]) -> bool:
    """Restore what was there before *token*; return False in another context.

    A coroutine or an async generator may be closed in a context in which it never
    ran; nothing there is changed.
    """
    try:
        scope_var.reset(token)
    except (ValueError, RuntimeError):  # of another context, or used already
        return False
    return True


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
        NotInFlowError: Called outside a flow, where nothing could read it.
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
