"""Marks: one function in several flows, marked twice, or taken by none."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import nullcontext
from functools import lru_cache, partial, wraps
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    FlowDefinitionError,
    NotInFlowError,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    start_flow,
    step,
)
from tests.support.call_styles import KINDS, finish, function
from tests.support.declarations import steps_of, the_step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator


def flow_now() -> str:
    """Return the flow of the current run."""
    context = get_flow_context()
    assert context is not None
    return context.flow


class TestSeveralFlows:
    """One function may belong to several flows."""

    def test_each_of_them_has_the_step(self) -> None:
        """A marker may have several ``@flow`` above it."""

        @flow("second")
        @flow("first")
        @step(after="start")
        def work() -> None: ...

        assert steps_of("first") == steps_of("second") == {"work": ("start",)}

    def test_each_marker_belongs_to_the_flow_above_it(self) -> None:
        """Name and predecessors may differ from flow to flow."""

        @flow("second")
        @step(name="bill", after="start", tags="io")
        @flow("first")
        @entrypoint
        def invoice() -> None: ...

        assert steps_of("first") == {"invoice": ()}
        assert steps_of("second") == {"bill": ("start",)}
        assert the_step("first", "invoice").tags == ()

    def test_handles_mark_one_function_many_times(self) -> None:
        """Each handle declares it for its own flow."""
        first, second = flow("first"), flow("second")

        @second.step(after="start")
        @first.entrypoint
        def work() -> None: ...

        third = flow("third").step(name="again")(work)

        assert steps_of("first") == {"work": ()}
        assert steps_of("second") == {"work": ("start",)}
        assert steps_of("third") == {"again": ()}
        assert inspect.unwrap(third) is inspect.unwrap(work)

    def test_a_handle_marks_what_a_class_takes_too(self) -> None:
        """A method can be a step of its class's flow and of a handle's."""
        billing = flow("billing")

        @flow("orders")
        class Orders:
            @entrypoint
            @billing.step(name="bill")
            def receive(self) -> str:
                return flow_now()

        assert steps_of("billing") == {"bill": ()}
        assert steps_of("orders") == {"receive": ()}
        assert Orders().receive() == "orders"

    def test_a_call_belongs_to_the_flow_of_its_run(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The step's name is the one that it has in the run's flow."""
        caplog.set_level("INFO", "penstock")

        @flow("second")
        @step(name="two")
        @flow("first")
        @step(name="one")
        def work() -> None: ...

        flow("second").entrypoint(name="start")(partial(work))()

        assert "second/two" in caplog.text
        assert "first/one" not in caplog.text

    def test_a_call_in_another_flow_belongs_to_the_first(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """If the run's flow does not have the function, its first flow counts."""
        caplog.set_level("INFO", "penstock")

        @flow("second")
        @step(name="two")
        @flow("first")
        @step(name="one")
        def work() -> None: ...

        flow("third").entrypoint(name="start")(partial(work))()

        assert "first/one" in caplog.text

    def test_an_entrypoint_elsewhere_is_a_step_here(self, mode: str) -> None:
        """In the run of a flow where it is a step, an entrypoint starts nothing."""

        @flow("orders")
        @step(after="receive")
        @flow("billing")
        @entrypoint
        def invoice() -> tuple[str | None, str]:
            return current_flow_id(), flow_now()

        @flow("orders")
        @entrypoint
        def receive() -> tuple[Any, Any]:
            return current_flow_id(), invoice()

        mine, (its, its_flow) = receive()
        assert its == mine
        assert its_flow == "orders"
        assert invoice()[1] == "billing"

    def test_an_entrypoint_of_two_flows_stays_in_the_one_that_runs(
        self, mode: str
    ) -> None:
        """A nested run of a function in both flows belongs to the outer run's flow."""

        @flow("second")
        @flow("first")
        @entrypoint
        def retry() -> str:
            return flow_now()

        @flow("second")
        @entrypoint
        def receive() -> str:
            return retry()

        assert receive() == "second"
        assert retry() == "first"

    def test_arguments_do_not_choose_the_flow(self, mode: str) -> None:
        """Outside a run, a function belongs to its first flow, with any arguments."""

        @flow("second")
        @flow("first")
        @entrypoint
        def receive(_order: object) -> str:
            return flow_now()

        assert [receive(17), receive(int), receive(receive)] == ["first"] * 3

    def test_a_step_that_is_an_entrypoint_elsewhere_needs_its_flow(self) -> None:
        """Outside every run a call belongs to the function's first flow."""

        @flow("billing")
        @entrypoint
        @flow("orders")
        @step
        def invoice() -> str:
            return flow_now()

        with pytest.raises(NotInFlowError, match="orders/invoice"):
            invoice()


class TestTwice:
    """A marker that no flow takes is a mistake."""

    @pytest.mark.parametrize("first", [entrypoint, step])
    @pytest.mark.parametrize("second", [entrypoint, step])
    def test_two_markers_need_two_flows(self, first: Any, second: Any) -> None:
        """Two markers on one function, with no flow between, are refused."""

        def work() -> None: ...

        with pytest.raises(
            FlowDefinitionError,
            match=rf"'work' is marked twice \({__file__}:\d+\).*its own @flow",
        ):
            second(first(work))

    def test_a_marker_is_not_marked_by_a_handle(self) -> None:
        """A handle above a bare marker would leave the marker without a flow."""
        with pytest.raises(FlowDefinitionError, match="marked twice"):

            @flow("orders").step
            @step
            def work() -> None: ...

    def test_a_second_marker_that_no_flow_takes_starts_no_run(self) -> None:
        """``@entrypoint`` above a step of a flow does nothing until it is taken."""

        @entrypoint
        @flow("orders")
        @step
        def work() -> None: ...

        with pytest.raises(NotInFlowError, match="orders/work"):
            work()

    def test_a_refused_mark_changes_nothing(self) -> None:
        """After a clash the function is unchanged, and can be marked again."""
        orders = flow("orders")

        @flow("billing")
        @entrypoint
        def invoice() -> str:
            return flow_now()

        orders.step(name="taken")(lambda: None)
        with pytest.raises(FlowDefinitionError, match="two different functions"):
            orders.step(name="taken")(invoice)

        again = orders.step(name="free", after=invoice)(invoice)

        assert list(steps_of("orders")) == ["taken", "free"]
        assert the_step("orders", "free").predecessors == ("billing:invoice",)
        assert again() == invoice() == "billing"


class TestTakenByNone:
    """Calling a marked function that no ``@flow`` took says so."""

    @pytest.mark.parametrize("inside", [True, False])
    @pytest.mark.parametrize("mark", [entrypoint, step])
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_refuses_to_run(
        self, kind: str, mark: Any, mode: str, *, inside: bool
    ) -> None:
        """The body never runs, with or without listeners, inside or outside a flow."""
        ran: list[int] = []
        func = mark(name="charge")(function(kind, lambda: ran.append(1)))

        expected = pytest.raises(
            FlowDefinitionError,
            match=rf"@{mark.__name__} 'charge' belongs to no flow "
            r"\(.*call_styles\.py:\d+\)"
            rf'\. Put @flow\("\.\.\."\) above @{mark.__name__}, or on its class',
        )
        with start_flow() if inside else nullcontext(), expected:
            asyncio.run(finish(func))

        assert not ran

    def test_a_class_without_a_flow_refuses(self) -> None:
        """A method of a class that has no ``@flow`` says what is missing."""

        class Orders:
            @entrypoint
            def receive(self) -> None: ...

        with pytest.raises(FlowDefinitionError, match="on its class"):
            Orders().receive()


class Charger:
    """Charge an order."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, order: int) -> int:
        return order * self.factor


class AsyncCharger(Charger):
    """Charge an order, later."""

    async def __call__(self, order: int) -> int:  # type: ignore[override]  # its point
        await asyncio.sleep(0)
        return order * self.factor


class YieldingCharger:
    """Charge an order in parts."""

    def __call__(self, order: int) -> Generator[int]:
        yield order


class AsyncYieldingCharger:
    """Charge an order in parts, later."""

    async def __call__(self, order: int) -> AsyncGenerator[int]:
        yield order


def multiply(order: int, factor: int) -> int:
    """Multiply both."""
    return order * factor


async def multiply_later(order: int, factor: int) -> int:
    """Multiply both, later."""
    return order * factor


class TestCallables:
    """Callables that are not functions can be steps."""

    @pytest.mark.parametrize(
        "func", [partial(multiply, factor=2), Charger(2)], ids=["partial", "object"]
    )
    def test_what_has_a_name_works(self, func: Callable[[int], int]) -> None:
        """A partial or callable object is a step like any other."""
        charge = flow("orders").step(name="charge")(func)

        with start_flow():
            assert charge(4) == 8
        assert inspect.signature(charge) == inspect.signature(func)

    @pytest.mark.parametrize(
        "func",
        [
            partial(multiply, factor=2),
            Charger(2),
            lambda: None,
            partial(Charger(2)),
            partial(partial(multiply), 1),
        ],
        ids=["partial", "object", "lambda", "partial object", "partial of partial"],
    )
    @pytest.mark.parametrize("mark", [entrypoint, step])
    def test_what_has_no_name_asks_for_one(self, mark: Any, func: Any) -> None:
        """Partials, callable objects and lambdas need ``name=``."""
        with pytest.raises(
            FlowDefinitionError,
            match=rf"@{mark.__name__} needs name=\.\.\. for .*{__file__}:\d+",
        ):
            mark(func)

    def test_an_object_without_code_says_its_module(self) -> None:
        """If there is no source line, the message names the module."""
        with pytest.raises(FlowDefinitionError, match=r"partial.*\(module builtins\)"):
            step(partial(max, 1))

    @pytest.mark.parametrize(
        "func",
        [partial(multiply_later, factor=2), AsyncCharger(2)],
        ids=["partial", "object"],
    )
    def test_async_is_seen_through(self, func: Any, mode: str) -> None:
        """An async ``__call__``, or a partial of an async function, is awaited."""
        charge = flow("orders").entrypoint(name="charge")(func)

        assert inspect.iscoroutinefunction(charge)
        assert asyncio.run(charge(4)) == 8
        assert the_step("orders", "charge").is_async

    def test_generators_are_seen_through(self) -> None:
        """A ``__call__`` that yields makes a generator step."""
        charge = flow("orders").entrypoint(name="charge")(YieldingCharger())

        assert inspect.isgeneratorfunction(charge)
        assert list(charge(4)) == [4]

    def test_async_generators_are_seen_through(self) -> None:
        """An async ``__call__`` that yields makes an async generator step."""
        charge: Any = flow("orders").entrypoint(name="charge")(AsyncYieldingCharger())

        assert inspect.isasyncgenfunction(charge)
        assert asyncio.run(finish(partial(charge, 4))) == 4

    def test_a_builtin_works(self) -> None:
        """Something without code or a dictionary can be a step, too."""
        total = flow("orders").entrypoint(sum)

        assert total([1, 2]) == 3
        assert the_step("orders", "sum").path == ""
        assert the_step("orders", "sum").line == 0

    def test_a_bound_method_works(self) -> None:
        """A method of one object can be a step."""
        charge = flow("orders").entrypoint(name="charge")(Charger(3).__call__)

        assert charge(2) == 6

    def test_a_cached_function_works(self) -> None:
        """``lru_cache`` under a marker keeps its place and its docstring."""

        @flow("orders")
        @entrypoint
        @lru_cache
        def receive(order: int) -> int:
            """Take an order."""
            return order

        assert receive(3) == 3
        found = the_step("orders", "receive")
        assert (found.path, found.description) == (__file__, "Take an order.")

    def test_a_decorator_above_the_marker_is_kept(self) -> None:
        """``@flow`` finds the marker through ``functools.wraps``."""

        def doubled(func: Callable[[int], int]) -> Callable[[int], int]:
            @wraps(func)
            def call(order: int) -> int:
                return 2 * func(order)

            return call

        @flow("orders")
        class Orders:
            @staticmethod
            @doubled
            @entrypoint
            def receive(order: int) -> int:
                return order

        assert Orders.receive(4) == 8
        assert list(steps_of("orders")) == ["receive"]

    @pytest.mark.parametrize(
        ("thing", "says"),
        [
            (Charger, "Charger, a type"),
            (property(lambda _: None), r"<property .*>, a property"),
            (3, "3, a int"),
            (None, "None, a NoneType"),
        ],
        ids=["class", "property", "number", "none"],
    )
    @pytest.mark.parametrize("named", [True, False])
    @pytest.mark.parametrize("mark", [entrypoint, step])
    def test_what_is_no_function_is_refused(
        self, mark: Any, thing: object, says: str, *, named: bool
    ) -> None:
        """A class, a property or a value cannot be marked, named or not."""
        decorator = mark(name="work") if named else mark()

        with pytest.raises(
            FlowDefinitionError,
            match=rf"@{mark.__name__} cannot mark {says}|cannot mark .*{says}",
        ) as caught:
            decorator(thing)

        assert f"{__file__}:" in str(caught.value)
        assert "Put it on a function or method" in str(caught.value)

    def test_a_name_in_the_wrong_place_is_explained(self) -> None:
        """``@step("charge")`` says how names are given."""
        with pytest.raises(FlowDefinitionError, match=r"@step\(after='charge'\)"):
            step("charge")  # type: ignore[call-overload]  # the point

    @pytest.mark.parametrize(
        "mark", [entrypoint, step, flow("x").step], ids=["entrypoint", "step", "handle"]
    )
    def test_a_flow_is_named_above(self, mark: Any) -> None:
        """``@entrypoint("orders")`` and ``flow="orders"`` show how it is written."""
        with pytest.raises(FlowDefinitionError, match=r"@flow\('orders'\) above @"):
            mark("orders")
        with pytest.raises(FlowDefinitionError, match=r"@flow\('orders'\) above @"):
            mark(flow="orders")

    @pytest.mark.parametrize(
        "mark", [entrypoint, step, flow("x").step], ids=["entrypoint", "step", "handle"]
    )
    def test_an_unknown_keyword_is_refused(self, mark: Any) -> None:
        """As Python does, with a suggestion."""
        with pytest.raises(TypeError, match=r"argument 'nmae'. Did you mean 'name'"):
            mark(nmae="charge")

    @pytest.mark.parametrize("name", ["", "  ", "\n", 3, ()])
    @pytest.mark.parametrize("mark", [entrypoint, step])
    def test_a_bad_name_is_refused(self, mark: Any, name: object) -> None:
        """A step's name is a string that is not blank."""
        with pytest.raises(
            FlowDefinitionError, match=rf"name=.*{__file__}:\d+.*not empty"
        ):
            mark(name=name)

    def test_what_is_unmarked_is_refused(self) -> None:
        """``@flow`` on a plain function says what to put under it, and where."""
        with pytest.raises(
            FlowDefinitionError,
            match=rf"@flow\('orders'\) found nothing to take in .*multiply "
            rf"\({__file__}:\d+\)\. Put @entrypoint or @step",
        ):
            flow("orders")(multiply)

    @pytest.mark.parametrize("thing", [3, None, property(lambda _: None), max])
    def test_what_cannot_be_marked_is_refused(self, thing: Any) -> None:
        """``@flow`` on anything else says the same."""
        with pytest.raises(FlowDefinitionError, match="found nothing to take"):
            flow("orders")(thing)
