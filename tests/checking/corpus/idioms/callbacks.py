"""Steps that are handed over, or kept in a table."""

import functools
import weakref
from functools import partial

from penstock import flow

callbacks = flow("callbacks")


@callbacks.entrypoint
def receive(order):
    HANDLERS[order](order)
    retry(charge, order)
    Button(on_click=refund).click()
    return map(label, [order])


@callbacks.step(after="receive")
def validate(order):
    run = partial(look_up, order)
    return run()


@callbacks.step(after="validate")
def look_up(order):
    for action in (index, count):
        action(order)


@callbacks.step(after="look_up")
def index(order):
    return order


@callbacks.step(after="look_up")
def count(order):
    return sorted([order], key=rank)


@callbacks.step(after="count")
def rank(order):
    return order


@callbacks.step(after="receive")
def refuse(order):
    ACTIONS.get(order, archive)(order)


@callbacks.step(after="refuse")
def archive(order):
    return order


@callbacks.step(after="refuse")
def complain(order):
    order.on_error = lambda: notify(order)


@callbacks.step(after="complain")
def notify(order):
    weakref.finalize(order, clean_up, order)


@callbacks.step(after="notify")
def clean_up(order):
    return order


@callbacks.step(after="receive")
def charge(order):
    return functools.reduce(add, order)


@callbacks.step(after="charge")
def add(one, two):
    return one


@callbacks.step(after="receive")
def refund(order):
    return order


@callbacks.step(after="receive")
def label(order):
    return order


HANDLERS = {"new": validate, "bad": refuse}
ACTIONS = dict(late=complain)


def retry(action, order):
    for _ in range(3):
        action(order)


class Button:
    def __init__(self, on_click):
        self.on_click = on_click

    def click(self):
        self.on_click()
