"""Where the flow begins."""

import importlib
from importlib import import_module

from penstock import flow

dynamic = flow("dynamic")


@dynamic.entrypoint
def receive(order):
    module = importlib.import_module("idioms.dynamic.plugins.first")
    module.validate(order)
    import_module(".plugins.second", "idioms.dynamic").charge(order)
    getattr(module, "look_up")(order)
    dispatch(order, "ship")


def dispatch(order, name):
    work = import_module(f"idioms.dynamic.plugins.{name}")
    return work.deliver_parcel(order)


@dynamic.step(after="receive")
def route(order):
    return globals()[f"to_{order}"](order)


@dynamic.step(after="route")
def to_store(order):
    return order
