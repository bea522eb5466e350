"""One marked function in one flow: what calls, backends and the registry share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ._source import Kind, code_of, kind_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._source import Origin
    from ._types import StepInfo

__all__ = ["After", "Step"]

After = tuple[tuple[str, ...], ...]
"""Alternatives, each of names that must all have run."""


class Step:
    """A marked function in one flow.

    Attributes:
        func: The user's function.
        name: Name of the step.
        flow: Name of its flow.
        label: ``flow/step``, as log lines say it.
        owner: The class through which it was bound, or None.
        origin: Where the function is defined.
        klass: Where the class is defined whose ``@flow`` took it, or None.
        overrides: Marked functions that this one overrides in its class.
        outside: What a call outside a flow does, ``""`` for the global setting.
    """

    __slots__ = (
        "after",
        "flow",
        "func",
        "function",
        "is_entrypoint",
        "klass",
        "label",
        "line",
        "name",
        "origin",
        "outside",
        "overrides",
        "owner",
        "path",
        "tags",
    )

    def __init__(
        self,
        func: Callable[..., Any],
        name: str,
        flow: str,
        *,
        is_entrypoint: bool,
        after: After,
        tags: tuple[str, ...],
        origin: Origin,
        owner: type | None = None,
        klass: Origin | None = None,
        overrides: frozenset[object] = frozenset(),
    ) -> None:
        self.func = func
        self.name = name
        self.flow = flow
        self.label = f"{flow}/{name}"
        self.is_entrypoint = is_entrypoint
        self.after = after
        self.tags = tags
        self.origin = origin
        self.owner = owner
        self.klass = klass
        self.overrides = overrides
        self.outside = ""
        code = code_of(func)
        self.path = "" if code is None else code.co_filename
        self.line = 0 if code is None else code.co_firstlineno
        self.function = getattr(func, "__name__", name)

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
            path=self.path,
            line=self.line,
            is_async=kind_of(self.func) in {Kind.ASYNC, Kind.ASYNC_GENERATOR},
        )
