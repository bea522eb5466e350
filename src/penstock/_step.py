"""One marked function in one flow: what calls, backends and the registry share."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ._source import Kind, Origin, code_of, kind_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import StepInfo

__all__ = ["After", "Spec", "Step"]

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

    def __init__(
        self, func: Callable[..., Any], spec: Spec, flow: str, after: After
    ) -> None:
        self.func = func
        self.name = spec.name
        self.is_entrypoint = spec.is_entrypoint
        self.tags = spec.tags
        self.flow = flow
        self.after = after
        self.crosses: bool = spec.crosses

    @cached_property
    def label(self) -> str:
        """``flow/step``, as log lines say it."""
        return f"{self.flow}/{self.name}"

    @cached_property
    def origin(self) -> Origin:
        """Where the function is defined, so that a reload is recognised."""
        return Origin.of(self.func)

    @cached_property
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

    def info(self) -> StepInfo:
        """Return the public, frozen view of this step."""
        from ._types import StepInfo  # noqa: PLC0415  # dataclasses: +6 ms on import

        doc = getattr(self.func, "__doc__", None) or ""
        if isinstance(self.func, partial):
            doc = getattr(self.func.func, "__doc__", None) or ""
        lines = doc.strip().splitlines()
        return StepInfo(
            name=self.name,
            flow=self.flow,
            is_entrypoint=self.is_entrypoint,
            after=self.after,
            description=lines[0].strip() if lines else "",
            doc=doc,
            tags=self.tags,
            module=self.origin.module,
            qualname=self.origin.qualname,
            path=self.source[0],
            line=self.source[1],
            is_async=kind_of(self.func) in {Kind.ASYNC, Kind.ASYNC_GENERATOR},
            crosses=self.crosses,
        )
