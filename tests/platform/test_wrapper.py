"""Wrappers show the annotations of the functions that they call."""

from __future__ import annotations

import sys
from functools import cache
from inspect import get_annotations, signature
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from penstock import bind_flow, entrypoint, flow
from tests.support.call_styles import KINDS, function, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrap = Callable[[Callable[..., Any]], Any]


def mark(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return *func* as the entrypoint of a flow of its own."""
    return flow(unique("flow"))(entrypoint(func))


WRAPS = pytest.mark.parametrize("wrap", [mark, bind_flow])


@WRAPS
@pytest.mark.parametrize("kind", KINDS)
def test_annotations_that_a_decorator_has_set(kind: str, wrap: Wrap) -> None:
    """Python 3.14 knows them by no other attribute."""
    func = function(kind, list)
    func.__annotations__ = {"number": int, "return": str}
    vars(func)["__annotate__"] = None  # as Python 3.14 does by itself
    wrapped = wrap(func)

    assert wrapped.__annotations__ == {"number": int, "return": str}
    assert get_type_hints(wrapped) == {"number": int, "return": str}
    assert get_annotations(wrapped) == {"number": int, "return": str}


@WRAPS
def test_cached_function_without_annotations(wrap: Wrap) -> None:
    """From Python 3.14, it has only ``__annotate__``, which is None."""

    @cache
    def receive():  # type: ignore[no-untyped-def]  # the point  # noqa: ANN202  # too
        return 1

    if sys.version_info < (3, 14):
        del receive.__annotations__
        vars(receive)["__annotate__"] = None
    wrapped = wrap(receive)

    assert getattr(wrapped, "__annotations__", {}) == {}
    assert wrapped() == 1


@WRAPS
@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations were not lazy")
@pytest.mark.parametrize("prefix", ["def", "async def"])
@pytest.mark.parametrize("body", ["return a", "yield a"])
def test_annotations_that_are_evaluated_later(
    prefix: str, body: str, wrap: Wrap
) -> None:
    """A name may be defined after the function is wrapped."""
    space: dict[str, Any] = {"__name__": __name__}
    lines = f"{prefix} made(a: Later, b: 'Later' = 1) -> Later: {body}"
    exec(compile(lines, "made", "exec", dont_inherit=True), space)  # noqa: S102  # ours
    wrapped = wrap(space["made"])
    with pytest.raises(NameError, match="Later"):
        _ = wrapped.__annotations__
    space["Later"] = int

    assert wrapped.__annotations__ == {"a": int, "b": "Later", "return": int}
    assert get_type_hints(wrapped) == {"a": int, "b": int, "return": int}
    assert signature(wrapped).parameters["a"].annotation is int


def test_attributes_that_a_bound_function_lacks() -> None:
    """It asks the function for annotations; the error about others is Python's own."""
    func = function("sync", list)
    func.__annotations__ = {"number": int}
    bound: Any = bind_flow(func)

    assert bound.__getattr__("__annotations__") == {"number": int}  # asked from 3.14
    with pytest.raises(AttributeError, match=r"'BoundFunction' object .*'delay'"):
        _ = bound.delay
