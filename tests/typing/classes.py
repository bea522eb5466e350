"""Types of decorated classes and their methods."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from functools import cached_property
from typing import Generic, TypeVar, assert_type, overload

from penstock import all_of, entrypoint, flow, step

T = TypeVar("T")
orders = flow("orders")


@flow("orders")
class Orders(Generic[T]):
    """Every kind of method."""

    def __init__(self, item: T) -> None:
        """Keep *item*."""
        self.item = item

    @entrypoint
    def receive(self, order_id: int, *, fast: bool = False) -> str:
        """Take an order."""
        return f"{order_id} {fast}"

    @step(after=receive)
    def validate(self, default: T | None = None) -> T:
        """Check it."""
        return default or self.item

    @step(after=[receive, all_of("validate", validate)], tags="io")
    async def charge(self, order_id: int) -> float:
        """Charge it."""
        return float(order_id)

    @step
    def parcels(self) -> Generator[T]:
        """Pack it."""
        yield self.item

    @step(name="scans")
    async def track(self) -> AsyncGenerator[T]:
        """Follow it."""
        yield self.item

    @staticmethod
    @step
    def static_above(order_id: int) -> str:
        """Stand below ``staticmethod``."""
        return str(order_id)

    @step
    @staticmethod
    def static_below(order_id: int) -> str:
        """Stand above ``staticmethod``."""
        return str(order_id)

    @step(after=static_below)
    @staticmethod
    async def static_async(order_id: int) -> str:
        """Stand above ``staticmethod``, with arguments."""
        return str(order_id)

    @classmethod
    @step(after="receive")
    def class_above(cls, order_id: int) -> str:
        """Stand below ``classmethod``."""
        return f"{cls.__name__} {order_id}"

    @step(after=static_above)
    @classmethod
    def class_below(cls, order_id: int) -> str:
        """Stand above ``classmethod``."""
        return f"{cls.__name__} {order_id}"

    @step(after=[class_above, class_below])
    @classmethod
    async def class_async(cls, order_id: int) -> str:
        """Stand above ``classmethod``, with a list."""
        return f"{cls.__name__} {order_id}"

    @orders.step
    def handled(self, order_id: int) -> T:
        """Belong to a handle's flow."""
        return self.item

    @orders.step(after=handled)
    @classmethod
    def handled_class(cls, order_id: int) -> int:
        """Belong to a handle's flow."""
        return order_id

    @property
    @step
    def total(self) -> int:
        """Stand under ``property``."""
        return 3

    @cached_property
    @step(after="total")
    def tax(self) -> float:
        """Stand under ``cached_property``."""
        return 0.3

    @overload
    def parse(self, text: str) -> int: ...
    @overload
    def parse(self, text: bytes) -> float: ...
    @step(after="receive")
    def parse(self, text: str | bytes) -> int | float:
        """Read a number."""
        return int(text) if isinstance(text, str) else float(text)

    @overload
    @classmethod
    def make(cls, text: str) -> int: ...
    @overload
    @classmethod
    def make(cls, text: bytes) -> float: ...
    @classmethod
    @step
    def make(cls, text: str | bytes) -> int | float:
        """Read a number."""
        return int(text) if isinstance(text, str) else float(text)

    @overload
    @staticmethod
    def read(text: str) -> int: ...
    @overload
    @staticmethod
    def read(text: bytes) -> float: ...
    @staticmethod
    @step(after="make")
    def read(text: str | bytes) -> int | float:
        """Read a number."""
        return int(text) if isinstance(text, str) else float(text)


made = Orders("item")
assert_type(made, Orders[str])
assert_type(made.receive(17, fast=True), str)
assert_type(made.validate(), str)
assert_type(made.parcels(), Generator[str])
assert_type(made.track(), AsyncGenerator[str])
assert_type(made.static_above(17), str)
assert_type(Orders.static_above(17), str)
assert_type(made.static_below(17), str)
assert_type(Orders.static_below(17), str)
assert_type(made.class_above(17), str)
assert_type(Orders.class_above(17), str)
assert_type(made.class_below(17), str)
assert_type(Orders.class_below(17), str)
assert_type(made.handled(17), str)
assert_type(made.handled_class(17), int)
assert_type(made.total, int)
assert_type(made.tax, float)
assert_type(made.parse("1"), int)
assert_type(made.parse(b"1"), float)
assert_type(made.make("1"), int)
assert_type(Orders.make(b"1"), float)
assert_type(made.read("1"), int)
assert_type(Orders.read(b"1"), float)

bound: Callable[[int], str] = made.class_below


async def use() -> None:
    """Await what is async."""
    assert_type(await made.charge(17), float)
    assert_type(await Orders.static_async(17), str)
    assert_type(await Orders.class_async(17), str)
    async for item in made.track():
        assert_type(item, str)


made.receive("17")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
made.static_below("17")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Orders.class_below("17")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
made.validate(17)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@orders
class Special(Orders[int]):
    """A subclass of its own flow."""

    @entrypoint
    def receive(self, order_id: int, *, fast: bool = False) -> str:
        """Take it in another way."""
        return super().receive(order_id, fast=fast)


assert_type(Special(3).validate(), int)
assert_type(Special(3).receive(17), str)
