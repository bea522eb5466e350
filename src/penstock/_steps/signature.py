"""What a function takes and returns, as one line of Python."""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    Literal,
    Union,
    get_args,
    get_origin,
)

from .source import python_function

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["signature_of"]

_PLAIN = (NoneType, bool, int, float, str, bytes)
_MAX_VALUE = 40  # characters
_EMPTY = inspect.Parameter.empty


class _Source:
    """A default or annotation that ``inspect`` shows as this source text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def signature_of(func: object) -> str:
    """Return the parameters of *func*, and what it returns, as ``(order: str) -> int``.

    The text is the same in every process and on every Python: values that are not
    plain, such as default objects, are ``...``. It is ``""`` for what is not written
    in Python.
    """
    function = python_function(func)
    if function is None:
        return ""
    try:
        signature = _inspected(function)
        shown = signature.replace(
            parameters=[_shown(each) for each in signature.parameters.values()],
            return_annotation=_source(signature.return_annotation, _annotation),
        )
        return str(shown)
    except Exception:  # noqa: BLE001  # annotations are the user's own objects
        return ""


def _inspected(function: Any) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # pragma: no cover  # annotations are lazy there
        from annotationlib import Format  # noqa: PLC0415  # new in 3.14

        try:
            return inspect.signature(function, follow_wrapped=False)
        except Exception:  # noqa: BLE001  # such as a name for type checkers only
            return inspect.signature(
                function, follow_wrapped=False, annotation_format=Format.STRING
            )
    return inspect.signature(function, follow_wrapped=False)


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(
        default=_source(parameter.default, _value),
        annotation=_source(parameter.annotation, _annotation),
    )


def _source(thing: object, text_of: Callable[[object], str]) -> object:
    return _EMPTY if thing is _EMPTY else _Source(text_of(thing))


def _value(value: object) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    shown = repr(value) if type(value) in _PLAIN else "..."
    return shown if len(shown) <= _MAX_VALUE else "..."


def _annotation(hint: object) -> str:
    """Return *hint* in today's notation: its ``repr`` differs between Pythons."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " | ".join(map(_annotation, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(_value, arguments))}]"
    if origin is Annotated:
        first, *values = arguments
        return f"Annotated[{', '.join([_annotation(first), *map(_value, values)])}]"
    if isinstance(hint, list):  # what a Callable takes
        return f"[{', '.join(map(_annotation, hint))}]"
    name = _name(hint)
    return f"{name}[{', '.join(map(_annotation, arguments))}]" if arguments else name


def _name(hint: object) -> str:
    if hint is NoneType:
        return "None"
    if isinstance(hint, str):
        return hint
    if isinstance(hint, ForwardRef):
        return hint.__forward_arg__
    name = getattr(hint, "__name__", None)
    return name if isinstance(name, str) else _value(hint)
