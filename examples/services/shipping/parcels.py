"""The service ``shipping``: it packs what is paid.

It has a share in the shop's flow ``orders``, which ends with the delivery.
"""

from __future__ import annotations

from penstock import all_of, configure, flow

__all__ = ["orders", "parcels"]

configure(service="shipping")

parcels = flow("parcels", owner="logistics", description="From the shelf to the door.")
orders = flow("orders", owner="logistics")


@parcels.entrypoint(after=all_of("billing/payments:charge", "warehouse/stock:reserve"))
def pack(order_id: str) -> str:
    """Put the goods into a box."""
    return hand_over(order_id)


@parcels.step(after=pack, tags=("carrier",))
def hand_over(order_id: str) -> str:
    """Give the parcel to the carrier."""
    return order_id


@orders.entrypoint(after="parcels:hand_over")
def deliver(order_id: str) -> str:
    """Note that the customer has it."""
    return order_id
