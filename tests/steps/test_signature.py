"""What a function takes, as one line that is the same on every machine."""

from __future__ import annotations

import functools
import sys
import typing
from collections.abc import Callable
from enum import Enum
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


class Colour(Enum):
    RED = 1


T = typing.TypeVar("T")
P = typing.ParamSpec("P")
VARIABLES: Any = Callable[P, T]  # pyright: ignore[reportGeneralTypeIssues]  # on purpose
OrderId = typing.NewType("OrderId", str)
# `typing` shows many of them in another way on another Python, or with an address.
HINTS: dict[str, tuple[object, str]] = {
    "class": (int, "int"),
    "None": (None, "None"),
    "generic": (list[Callee], "list[Callee]"),
    "old generic": (typing.List[Callee], "List[Callee]"),  # noqa: UP006  # on purpose
    "None inside": (typing.Iterator[None], "Iterator[None]"),
    "nested": (dict[str, list[int | None]], "dict[str, list[int | None]]"),
    "tuple": (tuple[int, ...], "tuple[int, ...]"),
    "text inside": (list["Callee"], "list[Callee]"),
    "reference": (typing.Iterator["Callee"], "Iterator[Callee]"),
    "union": (Callee | None, "Callee | None"),
    "Optional": (typing.Optional[Callee], "Callee | None"),  # noqa: UP045  # on purpose
    "Optional reference": (typing.Optional["Callee"], "Callee | None"),
    "Union": (typing.Union[int, None, str], "int | None | str"),  # noqa: UP007  # so
    "Callable": (Callable[[int, Callee], None], "Callable[[int, Callee], None]"),
    "old Callable": (typing.Callable[[int], str], "Callable[[int], str]"),
    "any arguments": (Callable[..., Any], "Callable[..., Any]"),
    "variables": (VARIABLES, "Callable[P, T]"),
    "Literal": (Literal["a.b", 'c"d.e', 1], "Literal['a.b', 'c\"d.e', 1]"),
    "Literal of an enum": (Literal[Colour.RED], "Literal[Colour.RED]"),
    "Annotated": (Annotated[int, "g", Callee()], "Annotated[int, 'g', ...]"),
    "Annotated union": (Annotated[int | None, {"a"}], "Annotated[int | None, ...]"),
    "NewType": (OrderId, "OrderId"),
    "special": (typing.Self, "Self"),
    "object": (object(), "..."),
}


@pytest.mark.parametrize(("hint", "text"), HINTS.values(), ids=HINTS)
def test_annotations_that_are_objects(hint: object, text: str) -> None:
    """They are the same on each Python, without the modules they come from."""
    func = function("(a)")
    func.__annotations__ = {"a": hint, "return": type(None)}

    assert said(func) == f"(a: {text}) -> None"


def test_annotations_that_a_framework_has_resolved() -> None:
    """The signature is the same in every process, and None stays None."""

    def receive(number: Annotated[int, Callee()], rows: list[Callee]) -> None: ...

    receive.__annotations__ = get_type_hints(receive, include_extras=True)

    assert said(receive) == "(number: Annotated[int, ...], rows: list[Callee]) -> None"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations were not lazy")
@pytest.mark.parametrize("hint", ["Missing", "typing.Missing", "list[Missing]"])
def test_lazy_annotations_that_cannot_be_evaluated(hint: str) -> None:
    """They are shown as they are written: the name may be for type checkers only."""
    space: dict[str, Any] = {"typing": typing}
    lines = f"def made(a: {hint}, b: int = 1) -> None: ..."
    exec(compile(lines, "made", "exec", dont_inherit=True), space)  # noqa: S102  # ours

    assert said(space["made"]) == f"(a: {hint}, b: int = 1) -> None"


def test_an_annotation_that_fails() -> None:
    """Whatever the user's objects do, the flow is described."""

    class Broken:
        @property
        def __name__(self) -> str:
            raise RuntimeError

    func = function("(a)")
    func.__annotations__ = {"a": Broken()}

    assert said(func) == ""
