"""What a function's code says: how it runs, and where it is defined."""

from __future__ import annotations

import sys
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = [
    "FunctionKind",
    "Origin",
    "caller_frame",
    "caller_place",
    "code_of",
    "first_line",
    "kind_of",
    "place_of",
    "python_function",
]

_COROUTINE = 0x80 | 0x100  # inspect.CO_COROUTINE | CO_ITERABLE_COROUTINE
_GENERATOR = 0x20
_ASYNC_GENERATOR = 0x200
_NOT_PLAIN = _COROUTINE | _GENERATOR | _ASYNC_GENERATOR


class FunctionKind:
    """How a function runs: at once, when awaited, or item by item."""

    PLAIN = "plain"
    ASYNC = "async"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


def code_of(func: object) -> CodeType | None:
    """Return the user's own code in *func*, below partials and ``functools.wraps``."""
    code: CodeType | None = getattr(python_function(func), "__code__", None)
    return code


def first_line(doc: str | None) -> str:
    """Return the first line of a docstring, ``""`` if there is none."""
    return (doc or "").strip().partition("\n")[0].strip()


def python_function(func: object) -> object | None:
    """Return the user's own function in *func*, None if it is not Python code."""
    seen: set[int] = set()
    while id(func) not in seen:
        seen.add(id(func))
        func = getattr(_filled_in(func), "__wrapped__", func)
    return _called_function(_filled_in(func))


def kind_of(func: object) -> str:
    """Return the ``FunctionKind`` of *func*, without the 4 ms to import ``inspect``."""
    if (
        type(func) is FunctionType
        and not func.__code__.co_flags & _NOT_PLAIN
        and not func.__dict__
    ):
        return FunctionKind.PLAIN  # the usual case, without the checks below
    func = _filled_in(func)
    code = getattr(_called_function(func), "__code__", None)
    flags = 0 if code is None else code.co_flags
    if flags & _COROUTINE or _is_marked_async(func):
        return FunctionKind.ASYNC
    if flags & _ASYNC_GENERATOR:
        return FunctionKind.ASYNC_GENERATOR
    return FunctionKind.GENERATOR if flags & _GENERATOR else FunctionKind.PLAIN


def place_of(func: object) -> str:
    """Return where *func* is defined, as ``path:line``."""
    code = code_of(func)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    return f"module {getattr(_filled_in(func), '__module__', None) or '?'}"


def caller_frame() -> FrameType | None:
    """Return the frame that called penstock."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # as traceback does
    while frame is not None and _is_library(frame):
        frame = frame.f_back
    return frame


def caller_place() -> str:
    """Return which line called penstock, as ``path:line``."""
    frame = caller_frame()
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _is_library(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__package__"))
    return package == "penstock" or package.startswith("penstock.")


def _filled_in(func: object) -> object:
    while isinstance(func, partial):
        func = func.func
    return func


def _called_function(func: object) -> object | None:
    if not hasattr(func, "__code__"):
        func = getattr(type(func), "__call__", None)  # noqa: B004  # itself is wanted
    return func if hasattr(func, "__code__") else None


def _is_marked_async(func: object) -> bool:
    """Tell whether ``inspect.markcoroutinefunction`` marked it; mocks look like it."""
    if not hasattr(func, "_is_coroutine_marker"):
        return False
    from inspect import iscoroutinefunction  # noqa: PLC0415  # see kind_of

    return iscoroutinefunction(func)


class Origin(NamedTuple):
    """Where a function or class is defined, which tells a reload from a clash."""

    qualname: str
    module: str
    path: str

    @classmethod
    def of(cls, func: object) -> Origin:
        """Return the origin of a function, partial or callable object."""
        func = _filled_in(func)
        code = code_of(func)
        named: Any = func if hasattr(func, "__qualname__") else type(func)
        return cls(
            named.__qualname__,
            getattr(func, "__module__", None) or "",
            "" if code is None else code.co_filename,
        )

    @property
    def held(self) -> object:
        """What the module or class holds under the name now; None if nothing."""
        held: object = sys.modules.get(self.module)
        for name in self.qualname.split("."):
            held = getattr(held, "__dict__", {}).get(name)
        return held

    def is_same(self, other: Origin) -> bool:
        """Tell whether both are one definition, perhaps imported twice.

        Either the module or the source file is equal: ``python -m app`` runs as
        ``__main__`` a file that other modules import as ``app``.
        """
        return self.qualname == other.qualname and (
            self.module == other.module or (self.path == other.path != "")
        )
