"""The service ``billing``: it gets the money, and gives it back."""

from __future__ import annotations

from penstock import configure, flow

__all__ = ["payments"]

configure(service="billing")

payments = flow(
    "payments", owner="finance", description="Invoices, payments and refunds."
)


@payments.entrypoint(after="shop/orders:publish")
def invoice(order_id: str) -> str:
    """Write the invoice for an order."""
    return charge(order_id)


@payments.step(after=invoice, tags=("bank",))
def charge(order_id: str) -> str:
    """Take the money."""
    return order_id


@payments.entrypoint(after="shop/returns:accept", tags=("bank",))
def refund(order_id: str) -> str:
    """Give the money back."""
    return order_id
