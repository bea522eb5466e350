"""Decorators above and below a marker: they work completely, or are refused."""

from __future__ import annotations

import asyncio
import functools
from functools import cached_property, lru_cache, partialmethod, singledispatchmethod
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from penstock import (
    FlowDefinitionError,
    configure,
    entrypoint,
    flow,
    get_flow_context,
    start_flow,
    step,
)
from penstock._steps.marked import find_marked
from tests.support.declarations import steps_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Proxy:
    """A transparent proxy of a function, as ``wrapt`` makes one."""

    __slots__ = ("__wrapped__",)
    __wrapped__: Any

    def __init__(self, wrapped: object) -> None:
        object.__setattr__(self, "__wrapped__", wrapped)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__wrapped__, name, value)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # as a proxy does it
        return self.__wrapped__.__dict__

    @property  # type: ignore[misc]  # the same
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # the same
        return self.__wrapped__.__class__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)


class MethodProxy(Proxy):
    """The same for methods."""

    __slots__ = ()

    def __get__(self, instance: object, owner: type) -> Any:
        return Proxy(self.__wrapped__.__get__(instance, owner))


class CachedLikeDjango:
    """A property that keeps its function under another name, as Django's does."""

    def __init__(self, func: Any) -> None:
        self.real_func = func

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, _owner: type) -> Any:
        value = instance.__dict__[self.name] = self.real_func(instance)
        return value


ABOVE: dict[str, Any] = {
    "proxy": MethodProxy,
    "two proxies": lambda func: MethodProxy(MethodProxy(func)),
    "proxy of a class method": lambda func: MethodProxy(classmethod(func)),
    "partialmethod": partialmethod,
    "cache": functools.cache,
}


@pytest.mark.parametrize("how", ABOVE)
def test_a_decorator_above_a_step_leaves_it_in_its_class(how: str, mode: str) -> None:
    """The step is drawn, and a call runs it."""

    @flow("shop")
    class Shop:
        @entrypoint
        def receive(self) -> object:
            return self.charge()

        @ABOVE[how]  # type: ignore[untyped-decorator]  # one of several
        @step(after="receive")
        def charge(self) -> object:
            context = get_flow_context()
            return context and context.flow

    assert steps_of("shop") == {"receive": (), "charge": ("receive",)}
    assert Shop().receive() == "shop"


@pytest.mark.parametrize(
    "kind",
    [property, cached_property, CachedLikeDjango],
    ids=["property", "functools", "django"],
)
def test_every_kind_of_property_stays_in_its_class(kind: Any) -> None:
    """The function in a property of any library is the step."""

    @flow("shop")
    class Shop:
        @entrypoint
        def receive(self) -> object:
            return self.total

        @kind  # type: ignore[untyped-decorator]  # one of several
        @step(after="receive")
        def total(self) -> object:
            return 42

    assert steps_of("shop") == {"receive": (), "total": ("receive",)}
    assert Shop().receive() == 42


def test_a_partialmethod_has_its_own_name() -> None:
    """One function may be several methods, with other arguments."""

    @step(after="receive", name="mail")
    def send(_self: object, how: str) -> str:
        return how

    @flow("shop")
    class Shop:
        @entrypoint
        def receive(self) -> object:
            return self.mail()

        mail = partialmethod(send, "by mail")

    assert steps_of("shop") == {"receive": (), "mail": ("receive",)}
    assert Shop().receive() == "by mail"


def test_a_singledispatchmethod_is_refused() -> None:
    """What is registered with it later would not be the step."""

    class Shop:
        @singledispatchmethod
        @step(after="receive")
        def charge(self, order: object) -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"Shop\.charge is a singledispatchm"):
        flow("shop")(Shop)


def hidden_by_closure(func: Any) -> Callable[..., Any]:
    """Decorate *func* without ``functools.wraps``."""

    def call(*args: Any) -> Any:
        return func(*args) if args else absent

    if not callable(func):
        absent = func  # an empty cell, for a function
    return call


class HiddenByObject:
    """Decorate a function with a callable that keeps it under any name."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func

    def __call__(self) -> Any:
        return self.func()


@pytest.mark.parametrize("hide", [hidden_by_closure, HiddenByObject])
def test_a_decorator_that_hides_a_step_is_refused(hide: Any) -> None:
    """The error names the method, and both ways to write it."""

    class Shop:
        @entrypoint
        def receive(self) -> None: ...

        @hide  # type: ignore[untyped-decorator]  # one of two
        @step(after="receive")
        def charge(self) -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"Shop\.charge .* functools\.wraps"):
        flow("shop")(Shop)


def test_another_functions_marker_in_a_closure_is_no_concern() -> None:
    """A method may close over a step of its own."""

    @step(after="receive")
    def elsewhere() -> None: ...

    def calling(_func: object) -> Callable[..., Any]:
        return lambda _self: elsewhere

    @flow("shop")
    class Shop:
        @entrypoint
        def receive(self) -> None: ...

        @calling
        def charge(self) -> None: ...

        callback = HiddenByObject(elsewhere)

    assert list(steps_of("shop")) == ["receive"]


def test_a_marker_is_not_looked_for_without_end() -> None:
    """A descriptor may refer to itself."""

    class Descriptor:
        def __get__(self, _instance: object, _owner: object) -> object:
            return self

    looped: Any = Descriptor()
    looped.own = looped

    assert find_marked(looped) is None


def test_a_proxy_below_a_marker_works(mode: str) -> None:
    """As a function and as a method."""

    @flow("shop")
    class Shop:
        @entrypoint
        @MethodProxy
        def receive(self, order: int) -> int:
            return order

    @flow("mail")
    @entrypoint
    @Proxy
    def send(text: str) -> str:
        return text

    assert (Shop().receive(7), send("text")) == (7, "text")


def test_a_cache_below_a_marker_keeps_its_methods() -> None:
    """``cache_clear`` and the others stay where they were."""
    shop = flow("shop")

    @shop.entrypoint
    @lru_cache
    def receive() -> object:
        return object()

    first: Any = receive()

    assert receive() is first
    assert receive.cache_info().hits == 1
    receive.cache_clear()
    assert receive() is not first


class AsyncCache:
    """A cache as ``async_lru`` makes one."""

    def __init__(self, func: Any) -> None:
        functools.update_wrapper(self, func)
        self.func = func
        self.results: list[object] = []

    async def __call__(self) -> object:
        if not self.results:
            self.results.append(await self.func())
        return self.results[0]

    def cache_clear(self) -> None:
        """Forget the result."""
        self.results.clear()


def test_an_async_cache_below_a_marker_keeps_its_methods() -> None:
    """The same for a cache of another library."""
    shop = flow("shop")

    @shop.entrypoint
    @AsyncCache
    async def receive() -> object:
        return object()

    first = asyncio.run(receive())

    assert asyncio.run(receive()) is first
    receive.cache_clear()
    assert asyncio.run(receive()) is not first


class Task:
    """What a task queue makes of a function."""

    def __init__(self, func: Any) -> None:
        self.fn = func

    def __call__(self, *args: Any) -> Any:
        return self.fn(*args)

    def send(self) -> None:
        """Call the function elsewhere."""


class SlottedTask:
    """The same, with no dictionary."""

    __slots__ = ("__wrapped__",)

    def __init__(self, func: Any) -> None:
        self.__wrapped__ = func

    def __call__(self, *args: Any) -> Any:
        return self.__wrapped__(*args)

    def send(self) -> None:
        """Call the function elsewhere."""


@pytest.mark.parametrize("kind", [Task, SlottedTask])
@pytest.mark.parametrize("mark", [entrypoint, step])
def test_a_task_below_a_marker_is_refused(mark: Any, kind: Any) -> None:
    """Its methods call the function, and not the step."""

    @kind  # type: ignore[untyped-decorator]  # one of two
    def charge() -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"such as send\(\).*below that"):
        mark(name="charge")(charge)
    with pytest.raises(FlowDefinitionError, match=r"such as send\(\).*below that"):
        mark(charge)


def test_an_object_below_a_marker_keeps_its_methods() -> None:
    """An object that no decorator has made of a function keeps what it has."""

    class Charger:
        __slots__ = ("count",)

        def __init__(self) -> None:
            self.count = 0

        def __call__(self) -> int:
            self.count += 1
            return self.count

        def reset(self) -> None:
            self.count = 0

    charge: Any = flow("shop").entrypoint(name="charge")(Charger())

    assert (charge(), charge()) == (1, 2)
    charge.reset()
    assert charge() == 1


def test_a_mock_can_be_a_step() -> None:
    """Tests declare mocks, and ask them how they were called."""
    charge: Any = flow("shop").step(name="charge")(Mock(return_value=3))

    with start_flow():
        assert charge(17) == 3
    charge.assert_called_once_with(17)


class Priced:
    """A shop whose total is computed once."""

    @entrypoint
    def receive(self) -> object:
        """Pay."""
        return self.pay(self.total)

    @CachedLikeDjango
    @step(after="receive")
    def total(self) -> int:
        """Add up."""
        return 42

    @step(after="total")
    def pay(self, total: int) -> int:
        """Pay the total."""
        return total


def test_a_step_behind_another_librarys_property_may_be_cached() -> None:
    """A second run in which the value is known is in order."""
    configure(conformance="raise")
    shop = flow("shop")(Priced)()

    assert [shop.receive(), shop.receive()] == [42, 42]


class QueuedTask:
    """What a task queue makes of a function, which only some code runs at once."""

    def __init__(self, func: Callable[..., object]) -> None:
        functools.update_wrapper(self, func)

    def __call__(self) -> None:
        """Run it."""

    def delay(self) -> None:
        """Send a message that runs it."""


def test_a_marker_above_a_task_is_refused() -> None:
    """The message fits the decorator that made the task."""
    orders = flow("orders")

    def charge() -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"delay\(\).*or use @flow_task"):
        orders.step(QueuedTask(charge))
    with pytest.raises(FlowDefinitionError, match=r"delay\(\).*marked already"):
        orders.step(QueuedTask(step(charge)))
