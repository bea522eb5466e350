"""The flows of two services that talk: by messages, and by requests."""

from __future__ import annotations

from typing import Any

from penstock import flow

__all__ = ["add", "book", "check", "parcels", "pick", "publish", "receive", "ship"]

parcels = flow("parcels")
accounts = flow("accounts")


@parcels.entrypoint
def receive(number: int, send: Any) -> Any:
    """Take an order."""
    return publish(check(number), send)


@parcels.step(after=receive)
def check(number: int) -> int:
    """See whether it can be met."""
    return number


@parcels.step(after=check)
def publish(number: int, send: Any) -> Any:
    """Tell the depot."""
    return send(number)


@parcels.step(after=publish)
def pick(message: Any) -> Any:
    """Take it from the shelf."""
    return message


@parcels.step(after=pick)
def ship(message: Any) -> None:
    """Hand it over."""


@parcels.step(after=publish)
def hurry(message: Any) -> None:
    """Hand over what is not picked yet."""
    ship(message)
    pick(message)


@accounts.entrypoint(after="parcels:publish")
def book(messages: Any) -> None:
    """Write down what was ordered."""
    add(messages)


@accounts.step(after=book)
def add(messages: Any) -> None:
    """Count it."""
