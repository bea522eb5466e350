"""A module and a class whose names are put together at run time."""

from penstock import flow

dynamic = flow("dynamic")


@dynamic.step(after="route")
def to_store(order):
    return order


class Store:
    def charge_card(self, order):
        return charge(order)


@dynamic.step(after="receive")
def charge(order):
    return order
