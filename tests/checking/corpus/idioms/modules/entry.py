"""Where the flow begins."""

import idioms.modules.stock as warehouse
from idioms.modules import payment
from penstock import flow

from . import post
from .inner.deep import weigh
from .payment import settle

modules = flow("modules")


@modules.entrypoint
def receive(order):
    payment.charge(order)
    warehouse.reserve(order)
    settle(order)
    weigh(order)
    return post.ship(order)
