"""Where the flow begins."""

from penstock import flow

from . import api, take_money
from . import validate as check

try:
    from .fast import ship as deliver
except ImportError:
    from .work import ship as deliver

aliases = flow("aliases")


@aliases.entrypoint
def receive(order):
    check(order)
    take_money(order)
    deliver(order)
    api.look_up(order)
