"""One more."""

from penstock import flow

dynamic = flow("dynamic")


@dynamic.step(after="receive")
def deliver_parcel(order):
    return order
