"""Goods."""

from penstock import flow

from .inner import deep

modules = flow("modules")


@modules.step(after="receive")
def reserve(order):
    return deep.weigh(order)


@modules.step(after="charge")
def price(order):
    return order
