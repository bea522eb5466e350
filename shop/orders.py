# shop/orders.py
from penstock import flow

orders = flow("orders", owner="payments", description="From click to parcel.")


@orders.entrypoint
def receive(order_id):
    """Take the order."""
    return charge(order_id)


@orders.step(after="receive")
def charge(order_id):
    """Take the money."""
