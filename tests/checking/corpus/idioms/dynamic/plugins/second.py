"""Another."""

from penstock import flow

dynamic = flow("dynamic")


@dynamic.step(after="receive")
def charge(order):
    return order


@dynamic.step(after="look_up")
def bill(order):
    return order
