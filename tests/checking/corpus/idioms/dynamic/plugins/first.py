"""One plugin."""

from penstock import flow

from . import second

dynamic = flow("dynamic")


@dynamic.step(after="receive")
def validate(order):
    return order


@dynamic.step(after="receive")
def look_up(order):
    return getattr(second, "bill", None)(order)
