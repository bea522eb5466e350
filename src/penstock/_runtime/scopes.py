"""Enter a flow context by hand, or leave every flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from penstock._context import FlowContext, Scope, caller_of, leave, scope_var
from penstock._platform.process import DISABLED
from penstock.errors import ConfigurationError

from .ids import refusal
from .state import state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from types import TracebackType

__all__ = [
    "EnteredFlow",
    "OutsideFlow",
    "carried",
    "outside_flow",
    "start_flow",
]


class OpenScope(tuple[FlowContext, None, int]):  # noqa: SLOT001  # a tuple can have no slots
    """The scope of a context that was entered: one frame of the stack of a task.

    Attributes:
        owner: The block that entered it, and takes it off the stack.
        below: What was current before.
    """

    owner: EnteredFlow
    below: Scope | None

    def on(self, below: Scope | None) -> OpenScope:
        """Return the same frame on top of another stack."""
        moved = OpenScope(self)
        moved.owner, moved.below = self.owner, below
        return moved


class EnteredFlow:
    """A flow context that ``with`` enters; *on_enter* is then called with it.

    Scopes form an immutable stack in the context variable, so each task and thread
    has its own. Leaving takes off this block's frame and the calls above it, which an
    interrupt may have left there. Blocks above it that are still open stay current.
    If the frame is not on the stack, as in a task that was started inside the block, or
    in the context that closes a coroutine, nothing changes.
    """

    __slots__ = ("_on_enter", "_tokens", "context")

    def __init__(
        self,
        context: FlowContext,
        on_enter: Callable[[FlowContext], object] | None = None,
    ) -> None:
        self.context: FlowContext = context
        self._on_enter = on_enter
        self._tokens: list[Token[Scope | None]] = []

    def __enter__(self) -> FlowContext:
        """Enter the context and return it; just return it if penstock is disabled."""
        if DISABLED:
            return self.context
        below = scope_var.get()
        scope = OpenScope((self.context, None, 0))
        scope.owner, scope.below = self, below
        try:
            self._tokens.append(scope_var.set(scope))
            if self._on_enter is not None:
                self._on_enter(self.context)
        except BaseException:  # an interrupt: otherwise the scope would never be left
            scope_var.set(below)
            raise
        return self.context

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Leave the context, even if an interrupt arrives at this very moment."""
        if DISABLED:
            return
        try:
            self._leave()
        except BaseException:
            self._leave()  # does nothing if the context has already been left
            raise
        finally:
            self._tokens.pop()

    def _leave(self) -> None:
        above: list[OpenScope] = []
        scope = scope_var.get()
        while isinstance(scope, OpenScope) and scope.owner is not self:
            above.append(scope)
            scope = scope.below
        if isinstance(scope, OpenScope):
            below = scope.below
        elif scope is not None and leave(self._tokens[-1]):
            below = scope_var.get()
        else:
            return
        for frame in reversed(above):
            below = frame.on(below)
        scope_var.set(below)
        if isinstance(scope, OpenScope):
            scope.below = None  # nothing looks below it again; a chain would only grow

    async def __aenter__(self) -> FlowContext:
        """Enter the context, as ``with`` does."""
        return self.__enter__()

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Leave the context."""
        self.__exit__(_type, _exc, _traceback)

    def __call__(self, func: object) -> NoReturn:
        """Refuse to be a decorator.

        Raises:
            TypeError: Always: all calls would share one correlation ID.
        """
        raise TypeError(_refusal(func, "start_flow(...)"))


class OutsideFlow:
    """A block of code that runs outside every flow."""

    __slots__ = ("_previous",)

    def __init__(self) -> None:
        self._previous: list[Scope | None] = []

    def __enter__(self) -> None:
        """Leave every flow."""
        self._previous.append(scope_var.get())
        scope_var.set(None)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Put back what was there, unless a flow was entered and not left."""
        previous = self._previous.pop()
        if scope_var.get() is None:
            scope_var.set(previous)

    def __call__(self, func: object) -> NoReturn:
        """Refuse to be a decorator.

        Raises:
            TypeError: Always: a generator or coroutine would run after the block.
        """
        raise TypeError(_refusal(func, "outside_flow()"))


def _refusal(func: object, block: str) -> str:
    name = getattr(func, "__name__", repr(func))
    return (
        f"{block} cannot decorate {name!r}. Open the block inside the function: "
        f"`with {block}:`"
    )


def carried(context: FlowContext, metadata: Mapping[str, object]) -> FlowContext:
    """Mark *context* as one that came in from elsewhere, with its *metadata*."""
    context.is_carried = True
    for key, value in metadata.items():
        context.set(key, value)
    return context


def start_flow(correlation_id: str | None = None, **metadata: object) -> EnteredFlow:
    """Start a flow context explicitly, in a script, a consumer, a cron job or a test.

    >>> import penstock
    >>> with penstock.start_flow("import-2026-11", source="cron") as context:
    ...     penstock.current_flow_id()
    'import-2026-11'

    Args:
        correlation_id: The ID to use; a new one if it is None.
        **metadata: What every step below may read.

    Returns:
        A context manager that gives the ``FlowContext``. If a flow is already running,
        its ID becomes the new context's ``parent_id``.

    Raises:
        ConfigurationError: *correlation_id* could not travel to another service.
    """
    if correlation_id is None:
        correlation_id = state.new_id()
    elif reason := refusal(correlation_id):
        msg = (
            f"start_flow() cannot use this correlation ID: {reason}. Use 1 to 1024 "
            "printable ASCII characters, with no spaces around them."
        )
        raise ConfigurationError(msg)
    outer = scope_var.get()
    context = FlowContext(correlation_id)
    if outer is not None:
        context.parent_id = outer[0].correlation_id
        context.given_root_id = outer[0].root_id
        context.given_call_id, context.given_step = caller_of(outer)
    return EnteredFlow(carried(context, metadata))


def outside_flow() -> OutsideFlow:
    """Run a block outside any flow, such as the start of a long-lived task.

    >>> import penstock
    >>> with penstock.start_flow(), penstock.outside_flow():
    ...     penstock.current_flow_id() is None
    True
    """
    return OutsideFlow()
