"""flow, entrypoint and step: every form, and what it leaves of the function."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
import pydoc
import traceback
import typing
from collections.abc import (
    AsyncGenerator,
    Callable,
    Generator,
)
from typing import TYPE_CHECKING, Any

import pytest

from penstock import current_flow_id, entrypoint, flow, start_flow, step
from tests.support.call_styles import KINDS, finish, marked
from tests.support.declarations import steps_of, the_flow, the_step

if TYPE_CHECKING:
    from pathlib import Path

HERE = __file__
HIDE = "__tracebackhide__"
Work = Callable[[], None]
Mark = Callable[..., Callable[[Work], Work]]


def line_of(func: object) -> int:
    """Return the line where *func* begins, its decorators included."""
    return int(inspect.unwrap(func).__code__.co_firstlineno)  # type: ignore[arg-type]  # any function


@flow("module")
@entrypoint
def receive(order_id: int, *, fast: bool = False) -> str:
    """Take an order.

    And more.
    """
    return f"{order_id} {fast}"


@flow("module")
@step(after="receive")
async def charge(order_id: int) -> int:
    """Charge it."""
    return order_id


@flow("module")
@step(after="charge")
def parcels(order_id: int) -> Generator[int]:
    """Pack it."""
    yield order_id


@flow("module")
@step(after="parcels")
async def scans(order_id: int) -> AsyncGenerator[int]:
    """Follow it."""
    yield order_id


MODULE_LEVEL: list[Callable[..., Any]] = [receive, charge, parcels, scans]


def test_a_class_declares_its_methods() -> None:
    """Every marker in a class is a step, in the order of the class."""

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> None: ...

        @step(after="receive")
        def charge(self) -> None: ...

        def unmarked(self) -> None: ...

    assert steps_of("orders") == {"receive": (), "charge": ("receive",)}
    assert the_step("orders", "receive").is_entrypoint
    assert not the_step("orders", "charge").is_entrypoint


def test_stacked_functions_declare_themselves() -> None:
    """``@flow`` above ``@entrypoint`` or ``@step`` registers a plain function."""

    @flow("orders")
    @entrypoint
    def receive() -> str | None:
        return current_flow_id()

    @flow("orders")
    @step(after="receive")
    def charge() -> None: ...

    assert steps_of("orders") == {"receive": (), "charge": ("receive",)}
    assert receive()


def test_a_handle_declares_functions() -> None:
    """The flow's name is written once, and the handle decorates."""
    orders = flow("orders", owner="payments", description="Money in.")

    @orders.entrypoint
    def receive() -> None: ...

    @orders.step(after=receive, tags=("io",))
    def charge() -> None: ...

    info = the_flow("orders")
    assert (info.owner, info.description) == ("payments", "Money in.")
    assert steps_of("orders") == {"receive": (), "charge": ("receive",)}
    assert the_step("orders", "charge").tags == ("io",)


def test_a_handle_decorates_a_class() -> None:
    """A handle is the same decorator that ``@flow(...)`` is."""
    orders = flow("orders")

    @orders
    class Orders:
        @entrypoint
        def receive(self) -> None: ...

    assert list(steps_of("orders")) == ["receive"]


def test_a_handle_decorates_methods() -> None:
    """The handle's own marks need no ``@flow`` on the class."""
    orders = flow("orders")

    class Orders:
        @orders.entrypoint
        def receive(self) -> str:
            return self.charge()

        @orders.step(after="receive")
        def charge(self) -> str:
            return "charged"

    assert Orders().receive() == "charged"
    assert steps_of("orders") == {"receive": (), "charge": ("receive",)}


def test_a_handle_is_known_by_its_name() -> None:
    """The handle shows its name, and the call that made it."""
    orders = flow("orders")

    assert orders.name == "orders"
    assert repr(orders) == "flow('orders')"


@pytest.mark.parametrize("mark", [entrypoint, step])
def test_bare_and_called_are_the_same(mark: Any) -> None:
    """``@entrypoint`` and ``@entrypoint()`` declare the same step."""

    def work() -> None: ...

    flow("a")(mark(work))
    bare = the_step("a", "work")
    flow("a")(mark()(work))

    assert the_step("a", "work") == bare


@pytest.mark.parametrize("mark", [entrypoint, step])
def test_every_argument_reaches_the_step(mark: Mark) -> None:
    """``name``, ``after`` and ``tags`` are read from the decorator."""

    @flow("a")
    @mark(name="work", after="b:start", tags=["slow", "io"])
    def do_work() -> None: ...

    found = the_step("a", "work")
    assert found.predecessors == ("b:start",)
    assert found.tags == ("slow", "io")
    assert list(steps_of("a")) == ["work"]


@pytest.mark.parametrize("declare", ["entrypoint", "step"])
def test_every_argument_of_a_handle_reaches_the_step(declare: str) -> None:
    """The methods of a handle take what the functions take."""
    mark: Mark = getattr(flow("a"), declare)

    @mark(name="work", after="b:start", tags=["io"])
    def do_work() -> None: ...

    found = the_step("a", "work")
    assert found.is_entrypoint == (declare == "entrypoint")
    assert (found.predecessors, found.tags) == (("b:start",), ("io",))


def test_one_tag_may_be_a_text() -> None:
    """A lone tag needs no list, and is not cut into letters."""
    orders = flow("orders", tags="money")

    @orders.step(tags="io")
    def charge() -> None: ...

    assert the_flow("orders").tags == ("money",)
    assert the_step("orders", "charge").tags == ("io",)


def test_flow_takes_owner_description_and_tags() -> None:
    """What is said about a flow is kept with it."""

    @flow("orders", owner="payments", description="Money in.", tags=["core"])
    @entrypoint
    def receive() -> None: ...

    info = the_flow("orders")
    assert (info.owner, info.description, info.tags) == (
        "payments",
        "Money in.",
        ("core",),
    )


def test_a_step_describes_itself() -> None:
    """The docstring's first line is the description; `doc` has no indentation."""
    flow("orders")(entrypoint(inspect.unwrap(receive)))

    found = the_step("orders", "receive")
    assert found.description == "Take an order."
    assert found.doc == "Take an order.\n\nAnd more."


def test_no_docstring_is_no_description() -> None:
    """Without a docstring the description is empty."""

    @flow("orders")
    @entrypoint
    def receive() -> None: ...

    assert the_step("orders", "receive").description == ""


def test_a_blank_docstring_is_no_description() -> None:
    """A docstring of white space says nothing."""

    @flow("orders")
    @entrypoint
    def receive() -> None:
        """ """  # noqa: D419  # the point

    assert the_step("orders", "receive").description == ""


def test_a_step_knows_its_place() -> None:
    """Module, qualified name, file and line of the function are kept."""

    @flow("orders")
    @entrypoint
    def receive() -> None: ...

    found = the_step("orders", "receive")
    assert (found.path, found.line) == (HERE, line_of(receive))
    assert found.module == __name__
    assert found.qualname.endswith("test_a_step_knows_its_place.<locals>.receive")


@pytest.mark.parametrize(
    ("func", "kind"),
    [
        (receive, (False, False)),
        (charge, (True, False)),
        (parcels, (False, True)),
        (scans, (True, True)),
    ],
)
def test_a_step_knows_its_kind(
    func: Callable[..., Any], kind: tuple[bool, bool]
) -> None:
    """What is awaited or iterated with ``async for`` is async; some yield items."""
    flow("kinds")(func)

    (found,) = the_flow("kinds").steps
    assert (found.is_async, found.is_generator) == kind


def test_unwrap_gives_the_plain_function() -> None:
    """``inspect.unwrap`` is the way back."""

    def work() -> None: ...

    assert inspect.unwrap(flow("a")(flow("b")(step(work)))) is work


def test_unwrap_after_many_marks_gives_the_plain_function() -> None:
    """However many flows and markers, one step down is the function."""

    def work() -> None: ...

    @flow("b")
    @step
    @flow("a")
    @entrypoint
    @functools.wraps(work)
    def decorated() -> None: ...

    assert inspect.unwrap(decorated) is work
    assert vars(decorated)["__wrapped__"].__code__.co_name == "decorated"


@pytest.mark.parametrize("func", MODULE_LEVEL)
def test_inspect_tells_its_kind(func: Callable[..., Any]) -> None:
    """Each ``inspect.is...function`` answers as it does for the plain one."""
    plain = inspect.unwrap(func)

    for question in (
        inspect.isfunction,
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
    ):
        assert question(func) == question(plain)


@pytest.mark.parametrize("func", MODULE_LEVEL)
def test_its_signature_and_hints_are_there(func: Callable[..., Any]) -> None:
    """Parameters, defaults and annotations are the function's."""
    plain = inspect.unwrap(func)

    assert inspect.signature(func) == inspect.signature(plain)
    assert typing.get_type_hints(func) == typing.get_type_hints(plain)
    assert func.__annotations__ == plain.__annotations__


@pytest.mark.parametrize("func", MODULE_LEVEL)
def test_its_names_and_text_are_there(func: Callable[..., Any]) -> None:
    """Name, qualified name, module and docstring are the function's."""
    plain = inspect.unwrap(func)

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(func, name) == getattr(plain, name)


@pytest.mark.parametrize("func", MODULE_LEVEL)
def test_it_pickles_by_name(func: Callable[..., Any]) -> None:
    """A process pool can be given the decorated function."""
    assert pickle.loads(pickle.dumps(func)) is func  # noqa: S301  # our own


def test_help_shows_it() -> None:
    """``help()`` shows its name, parameters and docstring."""
    page = pydoc.plain(pydoc.render_doc(receive))

    assert "receive(order_id" in page
    assert "Take an order." in page


def test_its_attributes_stay() -> None:
    """What other decorators wrote on the function is still there."""

    def work() -> None: ...

    vars(work)["retries"] = 3

    assert vars(flow("a")(step(work)))["retries"] == 3


@flow("fixtures")
@entrypoint
def test_pytest_sees_its_fixtures(tmp_path: Path) -> None:
    """A test that is an entrypoint gets its fixtures, and runs in a flow."""
    assert tmp_path.exists()
    assert current_flow_id()


@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("kind", KINDS)
def test_its_traceback_hides_the_wrapper(kind: str, role: str, mode: str) -> None:
    """Every frame of penstock says ``__tracebackhide__`` to pytest."""

    def fails() -> None:
        raise KeyError(kind, mode)

    func = marked(kind, fails, role=role)

    with start_flow(), pytest.raises(KeyError) as caught:
        asyncio.run(finish(func))

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    own = [f for f in frames if f.f_globals["__name__"].startswith("penstock.")]
    hidden = [f for f in own if {**f.f_globals, **f.f_locals}.get(HIDE)]
    assert own
    assert own == hidden
