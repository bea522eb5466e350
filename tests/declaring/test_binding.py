"""What a flow takes: a class with its bases, overrides and ``super()``."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    FlowDefinitionError,
    all_of,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    start_flow,
    step,
)
from penstock._steps.marked import MARKED_ATTR, find_marked
from tests.support.declarations import steps_of, the_flow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from penstock._steps.marked import Marked


def run_now() -> tuple[str, str]:
    """Return the flow and the ID of the current run."""
    context = get_flow_context()
    assert context is not None
    return context.flow, context.correlation_id


def test_inherited_markers_are_taken() -> None:
    """A class declares what its bases mark, even if they have no flow."""

    class Base:
        @entrypoint
        def receive(self) -> None: ...

    class Checks:
        @step(after="receive")
        def validate(self) -> None: ...

    @flow("orders")
    class Orders(Base, Checks):
        @step(after="validate")
        def charge(self) -> None: ...

    assert set(steps_of("orders")) == {"receive", "validate", "charge"}


def test_a_description_is_the_first_line_of_the_class() -> None:
    """The class's docstring describes the flow, unless ``description=`` does."""

    @flow("orders")
    class Orders:
        """From click to parcel.

        And back.
        """

        @entrypoint
        def receive(self) -> None: ...

    assert the_flow("orders").description == "From click to parcel."


def test_a_description_that_is_given_wins() -> None:
    """``description=`` beats a docstring, whichever module is imported first."""

    @flow("orders", description="Money in.")
    class Orders:
        """From click to parcel."""

        @entrypoint
        def receive(self) -> None: ...

    @flow("orders")
    class Returns:
        """And back."""

        @entrypoint
        def take_back(self) -> None: ...

    assert the_flow("orders").description == "Money in."


def test_a_subclass_of_its_own_flow_leaves_its_parents_alone() -> None:
    """Inherited markers belong to both flows; each object runs in its own."""

    @flow("parents")
    class Parent:
        @entrypoint
        def receive(self) -> tuple[str, str]:
            return self.charge()

        @step(after="receive")
        def charge(self) -> tuple[str, str]:
            return run_now()

    @flow("children")
    class Child(Parent):
        pass

    assert steps_of("parents") == steps_of("children")
    assert Parent().receive()[0] == "parents"
    assert Child().receive()[0] == "children"
    assert Parent().receive()[0] == "parents"


def test_a_subclass_without_a_flow_runs_in_its_parents() -> None:
    """Without a ``@flow`` on the class, the nearest base decides."""

    @flow("parents")
    class Parent:
        @entrypoint
        def receive(self) -> str:
            return run_now()[0]

    @flow("children")
    class Child(Parent):
        pass

    class Grandchild(Child):
        pass

    assert Grandchild().receive() == "children"


def test_an_inherited_classmethod_runs_in_the_flow_of_its_class() -> None:
    """Classes are distinguished as objects are."""

    @flow("parents")
    class Parent:
        @classmethod
        @entrypoint
        def receive(cls) -> str:
            return run_now()[0]

    @flow("children")
    class Child(Parent):
        pass

    assert (Parent.receive(), Child.receive()) == ("parents", "children")


def test_an_override_without_a_marker_is_the_step() -> None:
    """It has the name and the predecessors of what it overrides."""

    class Base:
        @entrypoint
        def receive(self) -> None: ...

        @step(after="receive")
        def charge(self) -> None: ...

    @flow("orders")
    class Orders(Base):
        def charge(self) -> None: ...

    assert steps_of("orders") == {"receive": (), "charge": ("receive",)}


def test_a_name_of_one_base_hides_that_of_the_next() -> None:
    """With two bases the method resolution order decides."""

    class First:
        @entrypoint(name="first")
        def receive(self) -> None: ...

    class Second:
        @entrypoint(name="second")
        def receive(self) -> None: ...

    @flow("orders")
    class Orders(First, Second):
        pass

    assert list(steps_of("orders")) == ["first"]


def test_an_inherited_edge_follows_the_override() -> None:
    """``after=`` a function of the base means what overrides it here."""

    @flow("parents")
    class Parent:
        @entrypoint
        def receive(self) -> None: ...

        @step(after=receive)
        def charge(self) -> None: ...

    @flow("children")
    class Child(Parent):
        @entrypoint(name="accept")
        def receive(self) -> None: ...

    assert steps_of("children") == {"accept": (), "charge": ("accept",)}
    assert steps_of("parents") == {"receive": (), "charge": ("receive",)}


def test_an_inherited_edge_of_a_mixin_follows_the_override() -> None:
    """The same holds if the base has no flow."""

    class Mixin:
        @entrypoint
        def receive(self) -> None: ...

        @step(after=receive)
        def charge(self) -> None: ...

    @flow("orders")
    class Orders(Mixin):
        @entrypoint(name="accept")
        def receive(self) -> None: ...

    assert steps_of("orders") == {"accept": (), "charge": ("accept",)}


class TestSuper:
    """``super()`` from an override is a plain call, not a second run."""

    def test_of_an_entrypoint(self, mode: str) -> None:
        """The override's run is the one that the base's body sees."""

        @flow("parents")
        class Parent:
            @entrypoint
            def receive(self) -> list[tuple[str, str]]:
                return [run_now()]

        @flow("children")
        class Child(Parent):
            @entrypoint
            def receive(self) -> list[tuple[str, str]]:
                return [run_now(), *super().receive()]

        mine, its = Child().receive()

        assert mine == its
        assert mine[0] == "children"
        assert Parent().receive()[0][0] == "parents"

    def test_of_a_step_of_a_mixin(self, mode: str) -> None:
        """An override can call a base that no flow took."""

        class Mixin:
            @step(after="receive")
            def charge(self) -> str:
                return "base"

        @flow("orders")
        class Orders(Mixin):
            @entrypoint
            def receive(self) -> str:
                return self.charge()

            @step(after="receive")
            def charge(self) -> str:
                return f"mine, {super().charge()}"

        assert Orders().receive() == "mine, base"

    def test_of_a_diamond(self, mode: str) -> None:
        """Every class in the chain is called once, in one run."""

        class Base:
            @entrypoint
            def receive(self) -> list[tuple[str, str]]:
                return [run_now()]

        @flow("left")
        class Left(Base):
            @entrypoint
            def receive(self) -> list[tuple[str, str]]:
                return [run_now(), *super().receive()]

        @flow("right")
        class Right(Base):
            @entrypoint
            def receive(self) -> list[tuple[str, str]]:
                return [run_now(), *super().receive()]

        @flow("both")
        class Both(Left, Right):
            @entrypoint
            def receive(self) -> list[tuple[str, str]]:
                return [run_now(), *super().receive()]

        runs = Both().receive()

        assert len(runs) == 4
        assert len(set(runs)) == 1
        assert [run[0] for run in Left().receive()] == ["left", "left"]

    def test_of_a_classmethod(self, mode: str) -> None:
        """For a classmethod, the class takes the place of the object."""

        @flow("parents")
        class Parent:
            @classmethod
            @entrypoint
            def receive(cls) -> list[tuple[str, str]]:
                return [run_now()]

        @flow("children")
        class Child(Parent):
            @classmethod
            @entrypoint
            def receive(cls) -> list[tuple[str, str]]:
                return [run_now(), *super().receive()]

        assert len(set(Child.receive())) == 1

    @pytest.mark.parametrize("order", [(), (17,), ("text",)])
    def test_of_a_staticmethod(self, mode: str, order: tuple[object, ...]) -> None:
        """A staticmethod calls its base by name, with any arguments."""

        @flow("parents")
        class Parent:
            @staticmethod
            @entrypoint
            def receive(*_order: object) -> list[tuple[str, str]]:
                return [run_now()]

        @flow("children")
        class Child(Parent):
            @staticmethod
            @entrypoint
            def receive(*order: object) -> list[tuple[str, str]]:
                return [run_now(), *Parent.receive(*order)]

        assert len(set(Child.receive(*order))) == 1

    def test_of_an_async_method(self, mode: str) -> None:
        """An awaited ``super()`` call is a plain call, too."""

        @flow("parents")
        class Parent:
            @entrypoint
            async def receive(self) -> list[tuple[str, str]]:
                await asyncio.sleep(0)
                return [run_now()]

        @flow("children")
        class Child(Parent):
            @entrypoint
            async def receive(self) -> list[tuple[str, str]]:
                return [run_now(), *await super().receive()]

        assert len(set(asyncio.run(Child().receive()))) == 1

    def test_of_an_async_step(self, mode: str) -> None:
        """An async step of a mixin that no flow took is called plainly."""

        class Mixin:
            @step
            async def charge(self) -> str:
                return "base"

        @flow("orders")
        class Orders(Mixin):
            @step
            async def charge(self) -> str:
                return f"mine, {await super().charge()}"

        with start_flow():
            assert asyncio.run(Orders().charge()) == "mine, base"

    def test_of_a_generator(self, mode: str) -> None:
        """So is one that is iterated."""

        @flow("parents")
        class Parent:
            @entrypoint
            def receive(self) -> Generator[tuple[str, str]]:
                yield run_now()

        @flow("children")
        class Child(Parent):
            @entrypoint
            def receive(self) -> Generator[tuple[str, str]]:
                yield run_now()
                yield from super().receive()

        runs = list(Child().receive())

        assert len(runs) == 2
        assert len(set(runs)) == 1

    def test_of_an_async_generator(self, mode: str) -> None:
        """So is one that is iterated with ``async for``."""

        @flow("parents")
        class Parent:
            @entrypoint
            async def receive(self) -> AsyncGenerator[tuple[str, str]]:
                yield run_now()

        @flow("children")
        class Child(Parent):
            @entrypoint
            async def receive(self) -> AsyncGenerator[tuple[str, str]]:
                yield run_now()
                async for run in super().receive():
                    yield run

        async def collect() -> list[tuple[str, str]]:
            return [run async for run in Child().receive()]

        runs = asyncio.run(collect())

        assert len(runs) == 2
        assert len(set(runs)) == 1

    def test_but_not_of_another_object(self, mode: str) -> None:
        """An override that calls the base's entrypoint on another object runs it."""

        @flow("parents")
        class Parent:
            @entrypoint
            def receive(self) -> tuple[str, str]:
                return run_now()

        @flow("children")
        class Child(Parent):
            @entrypoint
            def receive(self) -> tuple[str, str]:
                return Parent().receive()

        assert Child().receive()[0] == "parents"


def test_a_class_may_belong_to_several_flows() -> None:
    """Two ``@flow`` on a class declare all its steps twice."""

    @flow("second")
    @flow("first")
    class Both:
        @entrypoint
        def receive(self) -> str:
            return run_now()[0]

    assert steps_of("first") == steps_of("second")
    assert Both().receive() == "first"


@pytest.mark.parametrize("wrapped", ["above", "below"])
@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_static_and_class_methods_work_in_either_order(kind: Any, wrapped: str) -> None:
    """``@step`` may stand above or below ``@staticmethod`` and ``@classmethod``."""

    def receive(*_: object) -> str | None:
        return current_flow_id()

    receive = (
        kind(entrypoint(receive)) if wrapped == "above" else entrypoint(kind(receive))
    )
    made: Any = flow("orders")(type("Orders", (), {"receive": receive}))

    assert isinstance(receive, kind)
    assert list(steps_of("orders")) == ["receive"]
    assert vars(made)["receive"].__func__()
    assert made().receive()


def test_a_property_can_be_a_step() -> None:
    """``@step`` stands under ``@property`` and ``@cached_property``."""

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> list[int]:
            return [self.total, self.tax]

        @property
        @step(after=receive)
        def total(self) -> int:
            return 3

        @cached_property
        @step(after="total")
        def tax(self) -> int:
            return 1

    assert Orders().receive() == [3, 1]
    assert list(steps_of("orders")) == ["receive", "total", "tax"]


def test_one_function_under_two_names_is_one_step() -> None:
    """An alias in a class is not a second function."""

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> None: ...

        accept = receive

    assert list(steps_of("orders")) == ["receive"]


class Unruly:
    """A lazy object that cannot be asked anything yet."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> object:
        message = "working outside of application context"
        raise RuntimeError(message)


def test_lazy_objects_in_a_class_are_left_alone() -> None:
    """Looking for markers wakes no proxy, such as Flask's ``current_app``."""

    @flow("orders")
    class Orders:
        app = Unruly()

        @entrypoint
        def receive(self) -> None: ...

    assert list(steps_of("orders")) == ["receive"]


class Lazy:
    """A proxy like Celery's: reading any attribute, even its class, wakes it."""

    def __init__(self, mark: Marked) -> None:
        object.__setattr__(self, MARKED_ATTR, mark)

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(name)


def test_a_lazy_object_can_hold_a_mark() -> None:
    """White-box: a flow takes a lazy task, and steps name it, before it is made."""

    @entrypoint
    def receive() -> None: ...

    mark = find_marked(receive)
    assert mark is not None
    task: Any = Lazy(mark)

    assert flow("orders")(task) is task

    @flow("orders")
    @step(after=task)
    def check() -> None: ...

    @flow("orders")
    @step(after=[all_of(task, check), task])
    def charge() -> None: ...

    assert steps_of("orders") == {
        "receive": (),
        "check": ("receive",),
        "charge": ("receive", "check"),
    }


def test_a_class_without_markers_is_refused() -> None:
    """``@flow`` on a class with no marker says what to add, and where."""

    class Plain:
        def work(self) -> None: ...

    with pytest.raises(
        FlowDefinitionError,
        match=r"@flow\('orders'\) found nothing to take in .*Plain.*"
        r"test_binding\.py:\d+.*@entrypoint",
    ):
        flow("orders")(Plain)


def test_marks_of_a_handle_are_not_taken_again() -> None:
    """A method that belongs to a handle's flow needs no ``@flow``, and joins none."""
    billing = flow("billing")

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> None: ...

        @billing.entrypoint
        def invoice(self) -> None: ...

    assert list(steps_of("orders")) == ["receive"]
    assert list(steps_of("billing")) == ["invoice"]


def test_half_of_a_class_never_registers() -> None:
    """If one method clashes, none is declared."""

    @flow("orders")
    @step
    def charge() -> None: ...

    class Orders:
        @entrypoint
        def receive(self) -> None: ...

        @step(after="receive")
        def charge(self) -> None: ...

    with pytest.raises(FlowDefinitionError, match="two different functions"):
        flow("orders", owner="nobody")(Orders)

    assert list(steps_of("orders")) == ["charge"]
    assert the_flow("orders").owner == ""
    with pytest.raises(FlowDefinitionError, match="belongs to no flow"):
        Orders().receive()


def test_a_class_with_a_clash_of_its_own_is_refused() -> None:
    """Two methods of one class under one name never register."""

    class Orders:
        @entrypoint(name="work")
        def receive(self) -> None: ...

        @step(name="work")
        def charge(self) -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"receive.*charge"):
        flow("orders")(Orders)
