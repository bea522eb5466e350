"""The flow on the front page, on plain functions: ``python -m examples.checkout``."""

from __future__ import annotations

from penstock import all_of, flow, generate_dag

checkout = flow(
    "checkout",
    owner="shop",
    description="From the click to the parcel.",
    outside="warn",
)


@checkout.entrypoint
def receive(number: str) -> None:
    """Take the order."""
    price(number)
    reserve(number)
    charge(number)
    ship(number)


@checkout.step(after=receive)
def price(number: str) -> None:
    """Add up discounts and taxes."""


@checkout.step(after=receive, tags=("db",))
def reserve(number: str) -> None:
    """Put the goods aside."""


@checkout.step(after=all_of(price, reserve), tags=("http",))
def charge(number: str) -> None:
    """Take the money."""


@checkout.step(after=charge)
def ship(number: str) -> None:
    """Hand it to the carrier."""


if __name__ == "__main__":
    print(generate_dag("checkout"))
