"""Two folders down."""

from penstock import flow

from ..post import announce

modules = flow("modules")


@modules.step(after="reserve")
def weigh(order):
    return announce(order)
