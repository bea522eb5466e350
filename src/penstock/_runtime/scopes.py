"""Enter a flow context by hand, or leave every flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._context import FlowContext, Scope, get_flow_context, scope_var
from penstock._platform.process import DISABLED
from penstock.errors import ConfigurationError

from .ids import refusal
from .state import state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

__all__ = ["EnteredFlow", "OutsideFlow", "carried", "outside_flow", "start_flow"]


class _Entered:
    """Enter a scope, and restore what was there before.

    The previous value is restored rather than a token reset: a token cannot be
    reset in another context, such as the one that closes a streaming response.
    """

    __slots__ = ("_previous", "_scope")

    def __init__(self, scope: Scope | None) -> None:
        self._scope = scope
        self._previous: list[Scope | None] = []

    def swap(self) -> None:
        """Enter the scope (do nothing under ``PENSTOCK_DISABLED``)."""
        self._previous.append(scope_var.get())
        if not DISABLED:
            scope_var.set(self._scope)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Restore what was there, unless other code has changed it since."""
        previous = self._previous.pop()
        if scope_var.get() is self._scope:
            scope_var.set(previous)


class EnteredFlow(_Entered):
    """A flow context that ``with`` enters; *on_enter* is then called with it."""

    __slots__ = ("_on_enter", "context")

    def __init__(
        self,
        context: FlowContext,
        on_enter: Callable[[FlowContext], object] | None = None,
    ) -> None:
        super().__init__((context, None))
        self.context: FlowContext = context
        self._on_enter = on_enter

    def __enter__(self) -> FlowContext:
        """Enter the context and return it."""
        self.swap()
        if self._on_enter is not None:
            self._on_enter(self.context)
        return self.context


class OutsideFlow(_Entered):
    """A block of code that runs outside every flow."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None)

    def __enter__(self) -> None:
        """Leave every flow."""
        self.swap()


def carried(context: FlowContext, metadata: Mapping[str, object]) -> FlowContext:
    """Mark *context* as one that came in from elsewhere, with its *metadata*."""
    context.is_carried = True
    for key, value in metadata.items():
        context.set(key, value)
    return context


def start_flow(correlation_id: str | None = None, **metadata: object) -> EnteredFlow:
    """Open a carried context by hand, in a script, a consumer, a cron job or a test.

    >>> import penstock
    >>> with penstock.start_flow("import-2026-11", source="cron") as context:
    ...     penstock.current_flow_id()
    'import-2026-11'

    Args:
        correlation_id: The ID to use; a new one if it is None.
        **metadata: What every step below may read.

    Returns:
        A context manager that gives the ``FlowContext``. Where a flow runs
        already, its ID becomes the new context's ``parent_id``.

    Raises:
        ConfigurationError: *correlation_id* could not travel to another service.
    """
    if correlation_id is None:
        correlation_id = state.new_id()
    elif reason := refusal(correlation_id, state.is_valid_id):
        msg = (
            f"start_flow() cannot use this correlation ID: {reason}. Use 1 to 128 of "
            "A-Z a-z 0-9 . _ : @ = / + ~ -, or configure(is_valid_id=...)."
        )
        raise ConfigurationError(msg)
    outer = get_flow_context()
    context = FlowContext(correlation_id)
    if outer is not None:
        context.parent_id = outer.correlation_id
        context.given_root_id = outer.root_id
    return EnteredFlow(carried(context, metadata))


def outside_flow() -> OutsideFlow:
    """Run a block outside any flow, such as the start of a long-lived task.

    >>> import penstock
    >>> with penstock.start_flow(), penstock.outside_flow():
    ...     penstock.current_flow_id() is None
    True
    """
    return OutsideFlow()
