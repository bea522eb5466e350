"""One plugin."""

from penstock import flow

dynamic = flow("dynamic")


@dynamic.step(after="receive")
def validate(order):
    return order


@dynamic.step(after="receive")
def look_up(order):
    return __import__("idioms.dynamic.plugins.second").dynamic.plugins.second.bill(
        order
    )
