"""What a function takes, as one line that is the same on every machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_type_hints

import pytest

from penstock import flow
from tests.support.declarations import the_flow


def said(func: Any) -> str:
    """Return what a step of a flow says of its function."""
    flow("f").step(name="s", after=())(func)
    (step,) = the_flow("f").steps
    return step.signature


def function(signature: str) -> Any:
    """Return a function that has this signature."""
    space: dict[str, Any] = {}
    lines = f"from __future__ import annotations\ndef made{signature}: ..."
    exec(lines, space)  # noqa: S102  # our own samples
    return space["made"]


@pytest.mark.parametrize(
    "signature",
    [
        "()",
        "() -> None",
        "(a, b=1, *args, c, d=None, **kwargs)",
        "(a, /, b: str = 'x', *, c: bytes = b'') -> list[Order]",
        "(a, b=True, /)",
        "(*, c: float = 0.5)",
        "(*orders: Order, **named: Order | None)",
        "(**named)",
    ],
)
def test_signatures(signature: str) -> None:
    """Names, kinds, annotations and plain defaults are as they were written."""
    assert said(function(signature)) == signature


@pytest.mark.parametrize("default", ["object()", "()", "'x' * 99", "print", "[1]"])
def test_defaults_that_are_no_plain_values(default: str) -> None:
    """Addresses and long strings are left out."""
    assert said(function(f"(a, b={default}, *, c: X = {default})")) == (
        "(a, b=..., *, c: X = ...)"
    )


class Callee:
    """An object to call."""

    def take(self, order: str) -> None: ...

    async def __call__(self, text: str) -> bytes:
        return text.encode()


PLAIN = function("(a: int)")
WRAPPER = functools.wraps(PLAIN)(lambda *_: None)
CALLED: dict[str, tuple[Any, str]] = {
    "a method": (Callee.take, "(self, order: str) -> None"),
    "a wrapper": (WRAPPER, "(a: int)"),
    "a partial": (functools.partial(WRAPPER, 1), "(a: int)"),
    "an object": (Callee(), "(self, text: str) -> bytes"),
    "no Python": (print, ""),
}


@pytest.mark.parametrize(("func", "signature"), CALLED.values(), ids=CALLED)
def test_what_is_called_in_the_end(func: Any, signature: str) -> None:
    """Methods, wrappers, partials and objects show the function below."""
    assert said(func) == signature


HINTS: dict[str, object] = {
    "int": int,
    "None": None,
    "list[Callee]": list[Callee],
    "Callee | None": Callee | None,
    "Callable[[int], str]": Callable[[int], str],
    "Literal['a.b', 'c\"d.e']": Literal["a.b", 'c"d.e'],
    "tuple[int, ...]": tuple[int, ...],
    "...": object(),
}


@pytest.mark.parametrize("text", HINTS)
def test_annotations_that_are_objects(text: str) -> None:
    """They are shown without the modules they come from."""
    func = function("(a)")
    func.__annotations__ = {"a": HINTS[text], "return": type(None)}

    assert said(func) == f"(a: {text}) -> None"


def test_annotations_that_a_framework_has_resolved() -> None:
    """The signature is the same in every process, and None stays None."""

    def receive(number: Annotated[int, Callee()], rows: list[Callee]) -> None: ...

    receive.__annotations__ = get_type_hints(receive, include_extras=True)

    assert said(receive) == "(number: ..., rows: list[Callee]) -> None"


def test_an_annotation_that_fails() -> None:
    """Whatever the user's objects do, the flow is described."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    func = function("(a)")
    func.__annotations__ = {"a": Broken()}

    assert said(func) == ""
