"""Types of decorated functions: every form, every kind."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from functools import partial
from typing import Any, ParamSpec, TypeVar, assert_type, overload

from penstock import Flow, all_of, current_flow_id, entrypoint, flow, step

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

orders = flow("orders", owner="payments", description="", tags=("core",), outside="run")
assert_type(orders, Flow)
assert_type(orders.name, str)


# Functions, bare and with arguments, in each of the forms.


@flow("orders")
@entrypoint
def receive(order_id: int, *, fast: bool = False) -> str:
    """Take an order."""
    return f"{order_id} {fast}"


@flow("orders")
@step(after="receive")
def validate(order_id: int) -> bool:
    """Check it."""
    return order_id > 0


@flow("orders")
@step
def log(text: str) -> None:
    """Log it."""


@flow("orders")
@entrypoint(name="again", after=["web:retry"], tags=["io"])
def receive_again(order_id: int) -> str:
    """Take it again."""
    return receive(order_id, fast=True)


@orders.entrypoint
def accept(order_id: int) -> str:
    """Take an order."""
    return receive(order_id)


@orders.entrypoint(name="refund", tags="io")
def give_back(order_id: int) -> int:
    """Give it back."""
    return order_id


@orders.step
def reserve(order_id: int) -> int:
    """Reserve it."""
    return order_id


@orders.step(after=[receive, "validate", all_of(validate, "reserve")])
def charge(order_id: int, amount: float = 1.0) -> float:
    """Charge it."""
    return amount * order_id


@orders
@step(after={"charge", reserve})
@flow("billing")
@entrypoint
def invoice(order_id: int) -> bytes:
    """Bill it."""
    return bytes(order_id)


assert_type(receive(17), str)
assert_type(receive(17, fast=True), str)
assert_type(validate(17), bool)
assert_type(receive_again(17), str)
assert_type(accept(order_id=17), str)
assert_type(give_back(17), int)
assert_type(reserve(17), int)
assert_type(charge(17, 2.0), float)
assert_type(invoice(17), bytes)
assert_type(current_flow_id(), str | None)

logger: Callable[[str], None] = log

receive("17")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
receive(17, slow=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
charge()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
invoice(17, 18)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


# Async functions, generators and async generators.


@flow("orders")
@entrypoint
async def ingest(url: str) -> bytes:
    """Load it."""
    return await fetch(url)


@orders.step(after=ingest)
async def fetch(url: str) -> bytes:
    """Fetch it."""
    return url.encode()


@flow("orders")
@step(after="ingest")
def produce(count: int) -> Generator[int, str, bool]:
    """Count."""
    sent = yield count
    return bool(sent)


@orders.step
def iterate(count: int) -> Iterator[int]:
    """Count."""
    yield count


@flow("orders")
@entrypoint(name="stream")
async def follow(count: int) -> AsyncGenerator[int, str]:
    """Count, later."""
    sent = yield count
    yield len(sent)


async def use() -> None:
    """Use what is async."""
    assert_type(await ingest("a"), bytes)
    assert_type(await fetch(url="a"), bytes)
    coroutine: Coroutine[Any, Any, bytes] = ingest("a")
    assert_type(await coroutine, bytes)
    assert_type(follow(1), AsyncGenerator[int, str])
    async for item in follow(1):
        assert_type(item, int)


assert_type(produce(1), Generator[int, str, bool])
assert_type(iterate(1), Iterator[int])
awaitable: Callable[[str], Awaitable[bytes]] = ingest
fetch(17)  # type: ignore[arg-type, unused-coroutine]  # pyright: ignore[reportArgumentType, reportUnusedCoroutine]


# Overloads and generics.


@overload
def parse(text: str) -> int: ...
@overload
def parse(text: bytes) -> float: ...
@orders.step
def parse(text: str | bytes) -> int | float:
    """Read a number."""
    return int(text) if isinstance(text, str) else float(text)


@flow("orders")
@step(after="parse")
def first(items: list[T], default: T) -> T:
    """Return the first."""
    return items[0] if items else default


@orders.step(name="same")
def same(item: T) -> T:
    """Return it."""
    return item


assert_type(parse("1"), int)
assert_type(parse(b"1"), float)
assert_type(first([1, 2], 3), int)
assert_type(same("a"), str)


# Decorators of users, above and below.


def retried(func: Callable[P, R]) -> Callable[P, list[R]]:
    """Call it twice."""

    def call(*args: P.args, **kwargs: P.kwargs) -> list[R]:
        return [func(*args, **kwargs), func(*args, **kwargs)]

    return call


@orders
@step
@retried
def below(order_id: int) -> str:
    """Be tried twice."""
    return str(order_id)


@retried
@orders.step(after=below)
def above(order_id: int) -> str:
    """Be tried twice."""
    return str(order_id)


assert_type(below(1), list[str])
assert_type(above(1), list[str])
below("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Partials and callable objects keep their own type.


class Charger:
    """Charge an order."""

    def __call__(self, order_id: int) -> float:
        """Charge it."""
        return float(order_id)


assert_type(orders.step(name="a")(partial(charge, 17)), partial[float])
assert_type(orders.step(name="b")(Charger()), Charger)
assert_type(orders.step(name="b")(Charger())(17), float)


# What a decorator refuses at run time, it refuses here.


def refused() -> None:
    """Write what is wrong."""
    step("receive")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    step(after=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    step(after=[3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
    step(name=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    entrypoint(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    orders.step(tags=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    orders(3)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    flow()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    flow(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    all_of(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
