"""Where the flow begins."""

from penstock import flow

from .plugins import first, ship, stores

dynamic = flow("dynamic")


@dynamic.entrypoint
def receive(order):
    getattr(first, "validate")(order)
    getattr(first, "look_" + order)(order)
    getattr(stores.Store(), f"{order}_card")(order)
    dispatch(order, "parcel")


def dispatch(order, name):
    work = getattr(ship, f"deliver_{name}", None)
    return work(order)


@dynamic.step(after="receive")
def route(order):
    return getattr(stores, f"to_{order}")(order)
