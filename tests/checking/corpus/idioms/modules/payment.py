"""Money."""

from penstock import flow

modules = flow("modules")


@modules.step(after="receive")
def charge(order):
    from .stock import price  # to break a cycle

    return price(order)


@modules.step(after="charge")
def settle(order):
    import idioms.modules.post

    idioms.modules.post.announce(order)
