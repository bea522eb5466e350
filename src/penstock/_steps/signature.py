"""What a function takes and returns, as one line of Python."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

from .source import python_function

__all__ = ["signature_of"]

_PLAIN = (type(None), bool, int, float, str, bytes)
_MAX_DEFAULT = 40  # characters
# A string, which stays as it is, or the module or function that a name comes from.
_PREFIX = re.compile(
    r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?:[\w<>]+\.)+(?=[^\W\d])"
)
_EMPTY = inspect.Parameter.empty


class _Source:
    """A default or annotation that ``inspect`` shows as this source text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def signature_of(func: object) -> str:
    """Return the parameters of *func*, and what it returns, as ``(order: str) -> int``.

    The text is the same in every process: defaults that are not plain values, and
    annotations that show an address, are ``...``. It is ``""`` for what is not
    written in Python.
    """
    function = python_function(func)
    if function is None:
        return ""
    try:
        signature = _inspected(function)
        shown = signature.replace(
            parameters=[_shown(each) for each in signature.parameters.values()],
            return_annotation=_annotation(signature.return_annotation),
        )
        return str(shown)
    except Exception:  # noqa: BLE001  # annotations are the user's own objects
        return ""


def _inspected(function: Any) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # pragma: no cover  # annotations are lazy there
        from annotationlib import Format  # noqa: PLC0415  # new in 3.14

        try:
            return inspect.signature(function, follow_wrapped=False)
        except (NameError, AttributeError):  # a name that only type checkers import
            return inspect.signature(
                function, follow_wrapped=False, annotation_format=Format.STRING
            )
    return inspect.signature(function, follow_wrapped=False)


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    return parameter.replace(
        default=default if default is _EMPTY else _Source(_default(default)),
        annotation=_annotation(parameter.annotation),
    )


def _default(value: object) -> str:
    shown = repr(value) if type(value) in _PLAIN else "..."
    return shown if len(shown) <= _MAX_DEFAULT else "..."


def _annotation(annotation: object) -> object:
    if annotation is _EMPTY:
        return annotation
    if annotation is type(None):
        return None
    if isinstance(annotation, str):
        return _Source(annotation)
    shown = inspect.formatannotation(annotation)
    text = _PREFIX.sub(lambda found: found[1] or "", shown)
    return _Source("..." if " at 0x" in text else text)
