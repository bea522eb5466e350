"""The service ``shop``: it takes orders, and takes goods back."""

from __future__ import annotations

from penstock import configure, flow

__all__ = ["orders", "returns"]

configure(service="shop")

orders = flow("orders", owner="storefront", description="From click to parcel.")
returns = flow("returns", owner="storefront", description="Goods that come back.")


@orders.entrypoint
def receive(order_id: str) -> str:
    """Take the order from the web page."""
    return publish(price(order_id))


@orders.step(after=receive)
def price(order_id: str) -> str:
    """Say what it costs, taxes included."""
    return order_id


@orders.step(after=price, tags=("kafka",))
def publish(order_id: str) -> str:
    """Tell the other services."""
    return order_id


@orders.step(after="billing/payments:charge", tags=("mail",))
def confirm(order_id: str) -> str:
    """Write to the customer once the money is there."""
    return order_id


@returns.entrypoint
def ask(order_id: str) -> str:
    """Let the customer say what is wrong."""
    return accept(order_id)


@returns.step(after=ask, tags=("kafka",))
def accept(order_id: str) -> str:
    """Take the goods back."""
    return order_id
