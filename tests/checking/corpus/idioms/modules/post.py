"""Parcels."""

from penstock import flow

modules = flow("modules")


@modules.step(after="receive")
def ship(order):
    return announce(order)


@modules.step(after=["ship", "settle"])
def announce(order):
    charge = order  # a local that has the name of a step
    return charge
