"""What a function's own code tells: how it runs, and where it is defined."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["Kind", "Origin", "code_of", "kind_of", "place_of"]

_COROUTINE = 0x80 | 0x100  # inspect.CO_COROUTINE | CO_ITERABLE_COROUTINE
_GENERATOR = 0x20
_ASYNC_GENERATOR = 0x200


class Kind:
    """How a function runs: at once, when awaited, or item by item."""

    PLAIN = "plain"
    ASYNC = "async"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


def code_of(func: object) -> CodeType | None:
    """Return the code that a call of *func* runs, through partials and ``__call__``."""
    while isinstance(func, partial):
        func = func.func
    code = getattr(func, "__code__", None)
    if code is None:
        call = getattr(type(func), "__call__", None)  # noqa: B004  # its code is wanted
        code = getattr(call, "__code__", None)
    return code


def kind_of(func: object) -> str:
    """Tell the ``Kind`` of *func*; importing ``inspect`` for it would cost 4 ms."""
    code = code_of(func)
    flags = 0 if code is None else code.co_flags
    if flags & _COROUTINE or hasattr(func, "_is_coroutine_marker"):
        return Kind.ASYNC  # the marker is inspect.markcoroutinefunction's
    if flags & _ASYNC_GENERATOR:
        return Kind.ASYNC_GENERATOR
    return Kind.GENERATOR if flags & _GENERATOR else Kind.PLAIN


def place_of(func: object) -> str:
    """Say where *func* is defined, as ``path:line``."""
    code = code_of(func)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    return f"module {getattr(func, '__module__', None) or '?'}"


class Origin(NamedTuple):
    """Where a function or class is defined, so that a reload is recognised."""

    qualname: str
    module: str
    path: str

    @classmethod
    def of(cls, func: object) -> Origin:
        """Return the origin of a function, partial or callable object."""
        while isinstance(func, partial):
            func = func.func
        code = code_of(func)
        named: Any = func if hasattr(func, "__qualname__") else type(func)
        return cls(
            named.__qualname__,
            getattr(func, "__module__", None) or "",
            "" if code is None else code.co_filename,
        )

    def is_same(self, other: Origin) -> bool:
        """Tell whether both are one definition, perhaps imported twice.

        ``python -m app`` runs a file as ``__main__`` that others import as
        ``app``: an equal module *or* an equal source file will do.
        """
        return self.qualname == other.qualname and (
            self.module == other.module or (self.path == other.path != "")
        )
