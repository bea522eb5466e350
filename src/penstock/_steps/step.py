"""One marked function in one flow: what calls, backends and the registry share."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from .fast_path import FastPath
from .source import Kind, Origin, code_of, kind_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._types import StepInfo

__all__ = ["After", "Spec", "Step"]

T = TypeVar("T")

After = tuple[tuple[str, ...], ...]
"""Alternatives, each of names that must all have run."""


class Spec(NamedTuple):
    """What one ``@entrypoint`` or ``@step`` says about its function."""

    is_entrypoint: bool
    name: str
    after: tuple[tuple[object, ...], ...]
    tags: tuple[str, ...]
    is_marker: bool
    """Whether any ``@flow`` may take it; a handle's is for its flow alone."""
    crosses: bool = False
    """Whether a message brings each call, as it does to a task."""


class _Once(Generic[T]):
    """A property that is worked out when it is first asked for.

    Up to Python 3.11 ``functools.cached_property`` takes a lock for that, one for all
    steps: a child would wait forever where a thread of its parent held it at the fork.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, step: Any, _owner: type | None = None) -> T:
        value = step.__dict__[self._name] = self._work_out(step)
        return value


class Step:
    """A marked function in one flow.

    What is only asked for when something is drawn, logged or wrong is worked out
    then: declaring a step is on the way of every import.

    Attributes:
        func: The user's function.
        name: Name of the step.
        flow: Name of its flow.
        owner: The class through which it was bound, or None.
        klass: Where the class is defined whose ``@flow`` took it, or None.
        overrides: Marked functions that this one overrides in its class.
        outside: What a call outside a flow does, ``""`` for the global setting.
    """

    owner: type | None = None
    klass: Origin | None = None
    overrides: frozenset[object] = frozenset()
    outside: str = ""
    fast_path: FastPath = FastPath()
    """How the call path judges it; this one, which all steps share, fits no run."""

    def __init__(
        self, func: Callable[..., Any], spec: Spec, flow: str, after: After
    ) -> None:
        self.func = func
        self.name: str = spec.name
        self.is_entrypoint: bool = spec.is_entrypoint
        self.tags: tuple[str, ...] = spec.tags
        self.flow = flow
        self.after = after
        self.crosses: bool = spec.crosses

    @_Once
    def label(self) -> str:
        """``flow/step``, as log lines say it."""
        return f"{self.flow}/{self.name}"

    @_Once
    def origin(self) -> Origin:
        """Where the function is defined, so that a reload is recognised."""
        return Origin.of(self.func)

    @_Once
    def source(self) -> tuple[str, int, str]:
        """Source file, first line and name of the function."""
        code = code_of(self.func)
        name = getattr(self.func, "__name__", self.name)
        if code is None:
            return "", 0, name
        return code.co_filename, code.co_firstlineno, name

    @property
    def place(self) -> str:
        """Where the function is defined, as ``path:line``."""
        return place_of(self.func)

    @_Once
    def info(self) -> StepInfo:
        """The public, frozen view of this step."""
        func: Any = self.func.func if isinstance(self.func, partial) else self.func
        doc = getattr(func, "__doc__", None) or ""
        path, line, _ = self.source
        info, signature_of = _cold()
        return info(
            self.name,
            self.flow,
            self.is_entrypoint,
            self.after,
            doc.strip().partition("\n")[0].strip(),
            doc,
            self.tags,
            self.origin.module,
            self.origin.qualname,
            path,
            line,
            kind_of(self.func) in _ASYNC,
            self.crosses,
            signature_of(self.func),
        )


_ASYNC = frozenset((Kind.ASYNC, Kind.ASYNC_GENERATOR))


@cache
def _cold() -> tuple[type[StepInfo], Callable[[object], str]]:
    """Return what only drawing needs."""
    from penstock._types import StepInfo  # noqa: PLC0415  # dataclasses: +6 ms on import

    from .signature import signature_of  # noqa: PLC0415  # compiles an expression

    return StepInfo, signature_of
