"""One marked function in one flow: what calls, backends and the registry share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from .fast_path import FITS_NO_RUN
from .source import FunctionKind, Origin, code_of, first_line, kind_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._types import StepInfo

__all__ = ["Alternatives", "Step", "StepOptions"]

T = TypeVar("T")

Alternatives = tuple[tuple[str, ...], ...]
"""Alternatives, each of names that must all have run."""


class StepOptions(NamedTuple):
    """What one ``@entrypoint`` or ``@step`` says about its function.

    It travels whole from the decorator to the ``Step``, whose ``info`` shows it.

    Attributes:
        name: Name of the step.
        is_entrypoint: Which of the two decorators it is.
        after: Alternatives, each of names and functions that must all have run.
        tags: Free labels.
        is_for_any_flow: Whether any ``@flow`` may take it: no handle declared it.
        crosses: Whether a message brings each call, as it does to a task.
    """

    name: str
    is_entrypoint: bool
    after: tuple[tuple[object, ...], ...]
    tags: tuple[str, ...]
    is_for_any_flow: bool
    crosses: bool = False

    @property
    def kind(self) -> str:
        """Name of the decorator."""
        return "entrypoint" if self.is_entrypoint else "step"


class lazy_property(Generic[T]):  # noqa: N801  # used like functools.cached_property
    """A property whose value is computed at the first access.

    Up to Python 3.11 ``functools.cached_property`` shares one lock among all steps: a
    forked child would wait forever if a thread of its parent held it at the fork.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, _owner: type | None = None) -> T:
        value = instance.__dict__[self._name] = self._compute(instance)
        return value


class Step:
    """A marked function in one flow.

    What only drawings, log lines and errors need is computed when they ask for it,
    because steps are declared during imports.

    Attributes:
        func: The user's function.
        options: What its decorator says about it.
        name: Name of the step.
        flow: Name of its flow.
        after: Its predecessors, by the names that the flow knows them by.
        owner: What the class that took it shares with copies of it, or None.
        attr: The name of the attribute that holds it in that class.
        klass: Where the class is defined whose ``@flow`` took it, or None.
        overrides: Marked functions that this one overrides in its class.
        overridden: The declared step that it is, where it overrides one in a
            subclass without a flow.
        outside: What a call outside a flow does, ``""`` for the global setting.
        fast_path: How the call path judges it. Set on each step: with a default on the
            class, reading it costs a call a twentieth of a step more.
    """

    owner: object = None
    attr: str = ""
    klass: Origin | None = None
    overrides: frozenset[object] = frozenset()
    overridden: Step | None = None
    outside: str = ""

    def __init__(
        self,
        func: Callable[..., Any],
        options: StepOptions,
        flow: str,
        after: Alternatives,
    ) -> None:
        self.func = func
        self.options = options
        self.name: str = options.name
        self.is_entrypoint: bool = options.is_entrypoint
        self.flow = flow
        self.after = after
        self.fast_path = FITS_NO_RUN

    @lazy_property
    def label(self) -> str:
        """``flow/step``, as log lines say it."""
        return f"{self.flow}/{self.name}"

    @lazy_property
    def origin(self) -> Origin:
        """Where the function is defined, which tells a reload from a clash."""
        return Origin.of(self.func)

    @lazy_property
    def source(self) -> tuple[str, int, str]:
        """Source file, first line and name of the function."""
        code = code_of(self.func)
        name = getattr(self.func, "__name__", self.name)
        if code is None:
            return "", 0, name
        return code.co_filename, code.co_firstlineno, name

    @property
    def crosses(self) -> bool:
        """Whether a message brings each call, as it does to a task of Celery."""
        if self.options.crosses:
            return True
        classes = type(self.origin.held).__mro__
        return any(str(one.__module__).startswith("celery.") for one in classes)

    @lazy_property
    def place(self) -> str:
        """Where the function is defined, as ``path:line``."""
        return place_of(self.func)

    @lazy_property
    def info(self) -> StepInfo:
        """The public, frozen view of this step."""
        from inspect import cleandoc  # noqa: PLC0415  # +4 ms on import

        from penstock._types import StepInfo  # noqa: PLC0415  # dataclasses: +6 ms

        from .signature import signature_of  # noqa: PLC0415  # inspect, as above

        func = self.func.func if isinstance(self.func, partial) else self.func
        # Python 3.13 and later remove the indentation themselves.
        doc = cleandoc(getattr(func, "__doc__", None) or "")
        path, line, _ = self.source
        kind = kind_of(self.func)
        return StepInfo(
            name=self.name,
            flow=self.flow,
            is_entrypoint=self.is_entrypoint,
            after=self.after,
            description=first_line(doc),
            doc=doc,
            tags=self.options.tags,
            module=self.origin.module,
            qualname=self.origin.qualname,
            path=path,
            line=line,
            is_async=kind in _ASYNC,
            crosses=self.crosses,
            signature=signature_of(self.func),
            is_generator=kind in _GENERATORS,
        )


_ASYNC = frozenset((FunctionKind.ASYNC, FunctionKind.ASYNC_GENERATOR))
_GENERATORS = frozenset((FunctionKind.GENERATOR, FunctionKind.ASYNC_GENERATOR))
