"""Another."""

from penstock import flow

dynamic = flow("dynamic")


@dynamic.step(after="look_up")
def bill(order):
    return order
