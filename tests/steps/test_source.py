"""What a function's code tells, as the tests of declaring cannot reach it."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest

from penstock import flow, start_flow
from tests.support.declarations import the_step


@pytest.mark.parametrize("make", [Mock, MagicMock])
def test_a_mock_is_no_coroutine_function(make: Any) -> None:
    """A mock, which has every attribute, is called like a plain function."""
    charge = flow("orders").step(name="charge")(make(return_value=3))

    with start_flow():
        assert charge() == 3
    assert not the_step("orders", "charge").is_async


@pytest.mark.skipif(
    not hasattr(inspect, "markcoroutinefunction"), reason="new in Python 3.12"
)
@pytest.mark.parametrize("shape", ["function", "partial"])
def test_a_function_marked_as_a_coroutine_function_is_async(shape: str) -> None:
    """``inspect.markcoroutinefunction`` counts, through a partial too."""

    async def later() -> int:
        return 3

    def charge() -> Any:
        return later()

    coroutine_function = vars(inspect)["markcoroutinefunction"](charge)
    marked: Any = flow("orders").entrypoint(name="charge")(
        partial(coroutine_function) if shape == "partial" else coroutine_function
    )

    assert inspect.iscoroutinefunction(marked)
    assert the_step("orders", "charge").is_async


def test_a_partial_is_described_by_its_function() -> None:
    """Docstring, module and place are those of the function that it fills in."""

    def charge(order: int) -> None:
        """Charge an order."""

    flow("orders").step(name="charge")(partial(charge, 1))

    found = the_step("orders", "charge")
    assert found.description == "Charge an order."
    assert found.module == __name__
    assert found.qualname.endswith("<locals>.charge")
    assert found.line == charge.__code__.co_firstlineno


def test_a_callable_object_is_described_by_its_class() -> None:
    """An object's place is that of its ``__call__``."""

    class Charger:
        """Charge an order."""

        def __call__(self) -> None: ...

    flow("orders").step(name="charge")(Charger())

    found = the_step("orders", "charge")
    assert found.description == "Charge an order."
    assert found.qualname.endswith("<locals>.Charger")
    assert found.line == Charger.__call__.__code__.co_firstlineno


def test_a_function_that_wraps_itself_has_a_place() -> None:
    """A cycle of ``__wrapped__`` ends."""

    def charge() -> None: ...

    wraps(charge)(charge)
    flow("orders").step(charge)

    assert the_step("orders", "charge").path == __file__
