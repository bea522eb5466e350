"""An override is the step that it overrides; a rebuilt class is the class."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import sys
from abc import ABC, abstractmethod
from enum import Enum
from types import ModuleType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Protocol,
    TypeVar,
    cast,
    runtime_checkable,
)

import pytest

import penstock
from penstock import (
    FlowDefinitionError,
    configure,
    conformance_report,
    entrypoint,
    flow,
    get_flow_context,
    step,
)
from penstock._declaring.overrides import unmarked_overrides
from penstock._project.attributes import flows_of
from tests.support.call_styles import unique
from tests.support.declarations import steps_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from penstock._context import FlowContext


T = TypeVar("T")


def here() -> FlowContext:
    """Return the current context."""
    context = get_flow_context()
    assert context is not None
    return context


def importer(name: str) -> Any:
    """Return a class with the flow *name*, whose step ``fetch`` waits for overrides."""

    @flow(name)
    class Importer:
        @entrypoint
        def run(self) -> object:
            fetched = self.fetch()
            self.store()
            return fetched

        @step(after="run")
        def fetch(self) -> object:
            raise NotImplementedError

        @step(after="fetch")
        def store(self) -> None: ...

    return Importer


def logged(caplog: pytest.LogCaptureFixture, name: str) -> list[tuple[str, str]]:
    """Return the steps of *name* that started, each with its function."""
    return [
        (getattr(record, "step", ""), record.funcName)
        for record in caplog.records
        if getattr(record, "flow", "") == name and "step.start" in record.getMessage()
    ]


class TestUnmarked:
    """An override without a marker."""

    def test_runs_in_the_flow(self, mode: str) -> None:
        """Its body sees the run of its flow, and ``super()`` is a plain call."""

        class Base(importer(unique("importing"))):  # type: ignore[misc]  # made above
            def fetch(self) -> object:
                return here().correlation_id

        class Child(Base):
            def fetch(self) -> object:
                return here().correlation_id, super().fetch()

        mine, its = Child().run()

        assert mine == its
        assert isinstance(Base().run(), str)

    def test_is_logged_with_its_own_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The record has the step's name, and the place of the override."""
        caplog.set_level("INFO", "penstock")
        name = unique("importing")

        class Csv(importer(name)):  # type: ignore[misc]  # made above
            def fetch(self) -> None: ...

        Csv().run()

        assert [one for one, _ in logged(caplog, name)] == ["run", "fetch", "store"]
        lines = [r.lineno for r in caplog.records if r.getMessage().count("fetch")]
        assert set(lines) == {inspect.unwrap(Csv.fetch).__code__.co_firstlineno}

    def test_is_judged_as_the_step(self) -> None:
        """It counts as a call of the step, so the next one is in order."""
        configure(conformance="raise")
        name = unique("importing")

        class Csv(importer(name)):  # type: ignore[misc]  # made above
            def fetch(self) -> None: ...

        for _ in range(3):
            Csv().run()

        found = conformance_report().to_dict()["flows"][name]
        assert found["steps"] == {"run": 3, "fetch": 3, "store": 3}
        assert not found["violations"]

    def test_is_drawn_once(self) -> None:
        """The picture has the step of the base, as many overrides as there are."""
        name = unique("importing")
        base = importer(name)
        for _ in range(3):
            type("Csv", (base,), {"fetch": lambda _self: None})().run()

        assert list(steps_of(name)) == ["run", "fetch", "store"]

    def test_fills_an_abstract_method(self) -> None:
        """An abstract step needs an override, which is the step."""
        name = unique("importing")

        @flow(name)
        class Importer(ABC):
            @entrypoint
            def run(self) -> object:
                return self.fetch()

            @step(after="run")
            @abstractmethod
            def fetch(self) -> object: ...

        class Later(Importer):
            @abstractmethod
            def fetch(self) -> object: ...

        class Csv(Later):
            def fetch(self) -> object:
                return here().flow

        assert Csv().run() == name
        with pytest.raises(TypeError, match="abstract"):
            Later()  # type: ignore[abstract]  # the point of the test

    def test_of_an_entrypoint_begins_a_run(self, mode: str) -> None:
        """An overriding entrypoint has an ID, and its own for another object."""

        @flow(unique("importing"))
        class Importer:
            @entrypoint
            def run(self) -> list[str]:
                return [here().correlation_id]

        class Csv(Importer):
            def run(self) -> list[str]:
                return [here().correlation_id, *super().run(), *Importer().run()]

        mine, its, other = Csv().run()

        assert mine == its != other

    def test_may_be_of_any_kind(  # noqa: C901  # one method of each kind
        self,
        mode: str,
    ) -> None:
        """Async methods, generators, static and class methods are overridden alike."""
        name = unique("importing")

        @flow(name)
        class Importer:
            @step(after="run")
            async def fetch(self) -> object: ...

            @step(after="run")
            def rows(self) -> Generator[object]:
                yield "base"

            @step(after="run")
            async def pages(self) -> AsyncGenerator[object]:
                yield "base"

            @staticmethod
            @step(after="run")
            def parse(_text: str) -> object: ...

            @classmethod
            @step(after="run")
            def make(cls) -> object: ...

            @entrypoint
            async def run(self) -> list[object]:
                rows = [*self.rows(), *[page async for page in self.pages()]]
                return [await self.fetch(), *rows, self.parse("text"), self.make()]

        class Csv(Importer):
            async def fetch(self) -> object:
                return here().flow

            def rows(self) -> Generator[object]:
                yield here().flow

            async def pages(self) -> AsyncGenerator[object]:
                yield here().flow

            @staticmethod
            def parse(_text: str) -> object:
                return here().flow

            @classmethod
            def make(cls) -> object:
                return here().flow, cls

        assert asyncio.run(Csv().run()) == [name, name, name, name, (name, Csv)]

    def test_that_is_no_function_is_left_alone(self) -> None:
        """An attribute of another kind may do anything, and stays as it is."""
        marker = property(lambda _self: lambda: "plain")

        class Csv(importer(unique("importing"))):  # type: ignore[misc]  # made above
            fetch = marker

        assert vars(Csv)["fetch"] is marker
        assert Csv().run() == "plain"

    def test_of_a_class_that_is_declared_later(self) -> None:
        """A class may be given a flow when its subclasses are there already."""
        name = unique("importing")

        class Importer:
            @entrypoint
            def run(self) -> str:
                return self.fetch()

            @step(after="run")
            def fetch(self) -> str:
                raise NotImplementedError

        class Csv(Importer):
            def fetch(self) -> str:
                return here().flow

        class Fast(Csv):
            def fetch(self) -> str:
                return f"fast {super().fetch()}"

        flow(name)(Importer)

        assert (Csv().run(), Fast().run()) == (name, f"fast {name}")

    def test_belongs_to_the_flow_of_its_subclass_alone(self, mode: str) -> None:
        """A flow of the subclass takes the override, whatever the base's flow is."""
        base, name = unique("importing"), unique("csv")

        @flow(name)
        class Csv(importer(base)):  # type: ignore[misc]  # made above
            def fetch(self) -> object:
                return here().flow

        assert Csv().run() == name
        assert steps_of(name) == {
            "run": (),
            "fetch": ("run",),
            "store": ("fetch",),
        }

    def test_belongs_to_a_flow_that_comes_after_a_call(self) -> None:
        """Once the subclass has a flow, the override has left that of the base."""
        name = unique("csv")

        class Csv(importer(unique("importing"))):  # type: ignore[misc]  # made above
            def fetch(self) -> object:
                return here().flow

        before = Csv().run()
        flow(name)(Csv)

        assert (before != name, Csv().run()) == (True, name)

    def test_stays_the_step_of_a_flow_of_the_same_name(self) -> None:
        """A subclass may name the flow of its base again."""
        name = unique("importing")

        @flow(name)
        class Csv(importer(name)):  # type: ignore[misc]  # made above
            def fetch(self) -> object:
                return here().flow

        assert Csv().run() == name
        assert list(steps_of(name)) == ["run", "fetch", "store"]

    def test_outside_a_flow_is_what_the_flow_says(self) -> None:
        """``outside=`` of the flow holds for overrides as well."""
        name = unique("importing")

        class Csv(importer(name)):  # type: ignore[misc]  # made above
            def fetch(self) -> object:
                return here().flow

        Csv().run()
        flow(name, outside="run")(entrypoint(name="other")(lambda: None))

        assert Csv().fetch() == name

    def test_of_a_handles_step(self) -> None:
        """A step that a handle declares in the class is overridden alike."""
        orders = flow(unique("orders"))

        @orders
        class Orders:
            @entrypoint
            def receive(self) -> object:
                return self.charge()

            @orders.step(after="receive")
            def charge(self) -> object: ...

        class Fast(Orders):
            def charge(self) -> object:
                return here().flow

        assert Fast().receive() == orders.name


class TestOfAHandle:
    """A handle marked the methods of a class that has no ``@flow``."""

    def test_an_unmarked_override_is_the_step(self) -> None:
        """Python's own rules say which method runs, and ``super()`` is no step."""
        orders = flow(unique("orders"))

        class Orders:
            @orders.entrypoint
            def receive(self) -> object:
                return self.charge(), self.check()

            @orders.step(after=receive)
            def charge(self) -> object:
                return ["charged"]

            @orders.step(after=receive)
            @staticmethod
            def check() -> object:
                return "checked"

        class Fast(Orders):
            def charge(self) -> object:
                return here().flow, *cast("list[str]", super().charge())

            @staticmethod
            def check() -> object:
                return here().flow

        assert Fast().receive() == ((orders.name, "charged"), orders.name)
        assert steps_of(orders.name) == {
            "receive": (),
            "charge": ("receive",),
            "check": ("receive",),
        }
        with pytest.raises(penstock.NotInFlowError):
            Fast.check()

    def test_a_repeated_marker_is_the_step(self, mode: str) -> None:
        """With the same handle it is no second function of that name."""
        orders = flow(unique("orders"))

        class Orders:
            @orders.entrypoint
            def receive(self) -> object:
                return self.charge()

            @orders.step(after=receive)
            def charge(self) -> object: ...

        class Fast(Orders):
            @orders.step(after="receive")
            def charge(self) -> object:
                return here().flow

        class Slow(Orders):
            @orders.step(after="charge")
            def charge(self) -> object: ...

        assert Fast().receive() == orders.name
        with pytest.raises(FlowDefinitionError, match="with another kind, name or"):
            Slow().receive()

    def test_a_class_that_is_defined_again_replaces_itself(self) -> None:
        """As in a notebook."""
        orders = flow(unique("orders"))
        for _ in range(2):

            class Orders:
                @orders.entrypoint
                def receive(self) -> object: ...

                @orders.step(after=receive)
                def charge(self) -> object: ...

            Orders().receive()

        assert steps_of(orders.name) == {"receive": (), "charge": ("receive",)}

    def test_another_class_cannot_have_its_name(self) -> None:
        """Python 3.11 wraps the error."""
        orders = flow(unique("orders"))

        def declare() -> type:
            class Orders:
                @orders.step
                def charge(self) -> object: ...

            return Orders

        def declare_another() -> type:
            class Refunds:
                @orders.step
                def charge(self) -> object: ...

            return Refunds

        declare()
        with pytest.raises((FlowDefinitionError, RuntimeError)) as caught:
            declare_another()

        error = caught.value.__cause__ or caught.value
        assert "two different functions are step 'charge'" in str(error)

    def test_a_marker_that_is_hidden_is_no_matter(self) -> None:
        """The class has something else under the name."""
        orders = flow(unique("orders"))

        class Orders:
            @orders.step
            def charge(self) -> object: ...

            kept = (charge,)
            charge = None  # type: ignore[assignment]  # on purpose

        with penstock.start_flow():
            Orders.kept[0](Orders())
        assert steps_of(orders.name) == {"charge": ()}


class TestMixin:
    """What stands before the step in the order of Python's lookup."""

    def test_is_the_step_in_this_class_alone(self, mode: str) -> None:
        """The mixin itself stays a plain class."""

        class Fetching:
            def fetch(self) -> object:
                return get_flow_context()

        plain = Fetching.fetch

        class Csv(Fetching, importer(unique("importing"))):  # type: ignore[misc]  # made above
            pass

        assert Csv().run() is not None
        assert Fetching.fetch is plain
        assert Fetching().fetch() is None

    def test_is_found_as_python_finds_it(
        self, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A class below may have another mixin in between, or replace it later."""

        class Fetching:
            def fetch(self) -> list[str]:
                return ["mixin"]

        class Caching(Fetching):
            def fetch(self) -> list[str]:
                return ["cache", *super().fetch()]

        class Csv(Fetching, importer(unique("importing"))):  # type: ignore[misc]  # made above
            pass

        class Fast(Csv, Caching):
            pass

        class Own(Csv, Caching):
            def fetch(self) -> list[str]:
                return ["own", *super().fetch()]

        assert Csv().run() == ["mixin"]
        assert Fast().run() == ["cache", "mixin"]
        assert Own().run() == ["own", "cache", "mixin"]
        monkeypatch.setattr(Fetching, "fetch", lambda _self: ["patched"])
        assert (Csv().run(), Fast().run()) == (["patched"], ["cache", "patched"])

    def test_may_have_static_and_class_methods(self) -> None:
        """They get the class that they are called on, or nothing."""
        name = unique("importing")

        class Parsing:
            @staticmethod
            def parse(text: str) -> object:
                return here().flow, text

            @classmethod
            def make(cls) -> object:
                return here().flow, cls

        @flow(name)
        class Importer:
            @entrypoint
            def run(self) -> list[object]:
                return [self.parse("text"), self.make()]

            @staticmethod
            @step(after="run")
            def parse(_text: str) -> object: ...

            @classmethod
            @step(after="run")
            def make(cls) -> object: ...

        class Csv(Parsing, Importer):
            pass

        class Fast(Csv):
            pass

        assert Csv().run() == [(name, "text"), (name, Csv)]
        assert Fast().run() == [(name, "text"), (name, Fast)]


class TestRepeated:
    """An override that repeats the marker."""

    @pytest.mark.parametrize(
        "mark",
        [step(after="run"), step(after=["run"]), step, step(after="run", name="fetch")],
        ids=["same", "list", "bare", "named"],
    )
    def test_is_the_step(self, mark: Any, mode: str) -> None:
        """It says the same again, or nothing."""
        name = unique("importing")

        class Csv(importer(name)):  # type: ignore[misc]  # made above
            @mark  # type: ignore[untyped-decorator]  # one of several
            def fetch(self) -> object:
                return here().flow

        assert Csv().run() == name
        assert list(steps_of(name)) == ["run", "fetch", "store"]

    @pytest.mark.parametrize(
        "mark",
        [step(after="store"), step(name="load", after="run"), entrypoint],
        ids=["after", "name", "kind"],
    )
    def test_that_says_something_else_needs_a_flow(self, mark: Any) -> None:
        """The first call says so, and names the class."""

        class Csv(importer(unique("importing"))):  # type: ignore[misc]  # made above
            @mark  # type: ignore[untyped-decorator]  # one of several
            def fetch(self) -> object: ...

        with pytest.raises(FlowDefinitionError, match=r"@flow\(.*Csv for a flow of"):
            Csv().run()

    def test_that_says_something_else_is_refused_in_the_same_flow(self) -> None:
        """Two functions cannot be one step in different ways."""
        name = unique("importing")

        class Csv(importer(name)):  # type: ignore[misc]  # made above
            @step(after="store")
            def fetch(self) -> object: ...

        with pytest.raises(FlowDefinitionError, match="two different functions"):
            flow(name)(Csv)

    def test_for_the_first_time_needs_a_flow(self) -> None:
        """A marker that overrides nothing belongs to no flow."""

        class Csv(importer(unique("importing"))):  # type: ignore[misc]  # made above
            def fetch(self) -> object:
                return self.parse()

            @step(after="fetch")
            def parse(self) -> object: ...

        with pytest.raises(FlowDefinitionError, match="belongs to no flow"):
            Csv().run()


class TestSubclassHook:
    """``__init_subclass__`` of a class with a flow still is the user's."""

    def test_of_the_class_itself_is_called(self) -> None:
        """It gets the class and the keywords."""

        @flow(unique("orders"))
        class Orders:
            seen: Any = None

            def __init_subclass__(cls, **options: Any) -> None:
                cls.seen = options

            @entrypoint
            def receive(self) -> object: ...

        class Fast(Orders, speed=2):
            def receive(self) -> object:
                return here().correlation_id

        assert Fast.seen == {"speed": 2}
        assert Fast().receive()

    def test_of_a_base_is_called_once(self) -> None:
        """Every class above gets its turn, in Python's order."""
        seen: list[str] = []

        class Base:
            def __init_subclass__(cls, **_options: Any) -> None:
                seen.append(cls.__name__)

        @flow(unique("orders"))
        class Orders(Base):
            @entrypoint
            def receive(self) -> object: ...

        @flow(unique("orders"))
        class Returns(Orders):
            pass

        fast = type("Fast", (Returns,), {}, wrong=1)

        assert seen == ["Orders", "Returns", fast.__name__]

    def test_that_does_not_go_on_hides_what_is_below(self) -> None:
        """Python then tells nobody above, so the override is a plain method."""

        class Silent(importer(unique("importing"))):  # type: ignore[misc]  # made above
            def __init_subclass__(cls) -> None: ...

        class Csv(Silent):
            def fetch(self) -> object: ...

        assert not hasattr(Csv.fetch, "__wrapped__")


def rebuilt(klass: type) -> Any:
    """Return a copy of *klass*, as decorators make one."""
    skipped = {"__dict__", "__weakref__"}
    namespace = {k: v for k, v in vars(klass).items() if k not in skipped}
    return type(klass)(klass.__name__, klass.__bases__, namespace)


REBUILDERS: dict[str, Any] = {
    "dataclass": dataclasses.dataclass(slots=True),
    "copy": rebuilt,
    "copy of a copy": lambda klass: rebuilt(rebuilt(klass)),
    "subclass": lambda klass: type(klass.__name__, (klass,), {}),
}


@pytest.mark.parametrize("is_above", [True, False])
@pytest.mark.parametrize("how", REBUILDERS)
def test_a_rebuilt_class_runs_in_its_own_flow(
    how: str,
    is_above: bool,  # noqa: FBT001  # a parameter
    mode: str,
) -> None:
    """A decorator that makes another class changes nothing."""

    class Import:
        @entrypoint
        def run(self) -> list[str]:
            return [here().flow, self.load()]

        @classmethod
        @step(after="run")
        def load(cls) -> str:
            raise NotImplementedError

    def made(name: str) -> Any:
        class Own(Import):
            @classmethod
            def load(cls) -> str:
                return here().flow

        if is_above:
            return REBUILDERS[how](flow(name)(Own))
        return flow(name)(REBUILDERS[how](Own))

    names = [unique("first"), unique("second")]
    classes = [made(name) for name in names]

    assert [klass().run() for klass in classes] == [[name, name] for name in names]


@pytest.mark.parametrize("how", REBUILDERS)
def test_a_rebuilt_subclass_calls_super(how: str, mode: str) -> None:
    """Its overrides, and those of its mixins, still find what they override."""

    class Fetching:
        def fetch(self) -> str:
            return here().flow

    base = importer(unique("importing"))

    class Csv(Fetching, base):  # type: ignore[misc,valid-type]  # made above
        def run(self) -> object:
            return "own", base.run(self)

    assert REBUILDERS[how](Csv)().run()[0] == "own"


@pytest.mark.parametrize("is_above", [True, False])
@pytest.mark.parametrize("how", REBUILDERS)
def test_super_works_in_the_steps_of_a_rebuilt_class(
    how: str,
    is_above: bool,  # noqa: FBT001  # a parameter
    mode: str,
) -> None:
    """Python's ``super()`` refers to the class that the compiler made."""

    class Fetching:
        def fetch(self) -> str:
            return "fetched"

        @classmethod
        def store(cls) -> str:
            return cls.__name__

    class Own(Fetching):
        @entrypoint
        def run(self) -> object:
            return self.fetch(), self.store()

        @step(after="run")
        def fetch(self) -> str:
            return super().fetch()

        @classmethod
        @step(after="fetch")
        def store(cls) -> str:
            return super().store()

    take, rebuild = flow(unique("importing")), REBUILDERS[how]
    klass = rebuild(take(Own)) if is_above else take(rebuild(Own))

    assert klass().run() == ("fetched", "Own")


@pytest.mark.parametrize("how", REBUILDERS)
def test_super_works_in_the_overrides_of_a_rebuilt_class(how: str, mode: str) -> None:
    """An override is wrapped though it has no marker, so this concerns it, too."""
    base = importer(unique("importing"))
    prefix = "csv"  # of the same closure as super()

    class Csv(base):  # type: ignore[misc,valid-type]  # made above
        def fetch(self) -> object:
            return prefix, super().run.__name__

    assert REBUILDERS[how](Csv)().run() == ("csv", "run")


def test_super_works_in_the_steps_of_an_attrs_class() -> None:
    """It copies a class by default, and looks for ``super()`` in plain functions."""
    attrs = pytest.importorskip("attrs")

    class Fetching:
        def fetch(self) -> str:
            return "fetched"

    @attrs.define
    @flow(unique("importing"))
    class Own(Fetching):
        number: int = 1

        @entrypoint
        def run(self) -> str:
            return self.fetch()

        @step(after="run")
        def fetch(self) -> str:
            return super().fetch()

    assert Own().run() == "fetched"


def test_a_target_names_the_flows_of_a_rebuilt_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``module:Class`` on the command line means the flow of the class in use."""
    parent, name = unique("importing"), unique("csv")
    base = importer(parent)
    module = ModuleType("shop_of_overrides")
    module.Csv = rebuilt(flow(name)(type("Csv", (base,), {})))  # type: ignore[attr-defined]  # a new one
    module.Fast = type("Fast", (base,), {"fetch": lambda _self: None})  # type: ignore[attr-defined]  # the same
    monkeypatch.setitem(sys.modules, module.__name__, module)

    assert flows_of(module.__name__, "Csv") == {name}
    assert parent in flows_of(module.__name__, "Fast")
    assert parent in flows_of(module.__name__, "Fast.fetch")


class Steps:
    """The methods of the classes below."""

    @entrypoint
    def run(self) -> object:
        """Fetch."""
        return self.fetch()

    @step(after="run")
    def fetch(self) -> object:
        """Be overridden."""
        raise NotImplementedError


class GenericSteps(Steps, Generic[T]):
    """A class with a ``__class_getitem__`` and an ``__init_subclass__``."""


@runtime_checkable
class ProtocolSteps(Protocol):
    """A class whose attributes are what ``isinstance`` looks for."""

    run: Any = Steps.run
    fetch: Any = Steps.fetch


class EnumSteps(Steps, Enum):
    """A class with a metaclass of its own."""


@pytest.mark.parametrize("base", [GenericSteps, ProtocolSteps, EnumSteps])
def test_classes_of_every_kind_have_overrides(base: Any) -> None:
    """The hook gets along with what the standard library does to classes."""
    name = unique("kinds")
    flow(name)(base)

    class Csv(base[int] if base is GenericSteps else base):  # type: ignore[misc]  # a parameter
        ONE = 1

        def fetch(self) -> str:
            return here().flow

    made: Any = Csv.ONE if base is EnumSteps else Csv()

    assert made.run() == name


def test_a_protocol_asks_for_nothing_more() -> None:
    """``isinstance`` looks for the methods of the protocol alone."""

    class Duck:
        def run(self) -> None: ...

        def fetch(self) -> None: ...

    @flow(unique("protocol"))
    @runtime_checkable
    class Bird(Protocol):
        run: Any = Steps.run
        fetch: Any = Steps.fetch

    assert isinstance(Duck(), Bird)


def left_alone(name: str) -> set[tuple[str, str, str]]:
    """Return the class, the attribute and what silenced it for each override."""
    return {
        (one.klass.__name__, one.attr, getattr(one.silenced_by, "__name__", ""))
        for one in unmarked_overrides()
        if one.steps[0].flow == name
    }


def test_overrides_that_are_left_alone() -> None:
    """What is not a function, is assigned later, or was never announced."""
    name = unique("alone")
    base: Any = importer(name)

    class Value(base):  # type: ignore[misc]  # made by a function
        fetch = 1

    class Late(base):  # type: ignore[misc]  # made by a function
        def store(self) -> None: ...

    class Silent(base):  # type: ignore[misc]  # made by a function
        def __init_subclass__(cls) -> None: ...

    class Plugin(Silent):
        def store(self) -> None: ...

    class Mixin:
        def fetch(self) -> None: ...

    class Mixed(Mixin, Silent): ...

    class Below(Plugin, Mixed):
        other = 1

    alone = {
        ("Value", "fetch", ""),
        ("Plugin", "store", "Silent"),
        ("Mixed", "fetch", "Silent"),
    }
    assert left_alone(name) == alone
    Late.fetch = lambda _self: None
    assert left_alone(name) == {*alone, ("Late", "fetch", "")}
    assert Below.other == Value.fetch  # the classes still exist
