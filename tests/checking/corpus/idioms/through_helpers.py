"""Steps that are reached through plain functions, two and three deep."""

from penstock import flow

through_helpers = flow("through_helpers")


@through_helpers.entrypoint
def receive(order):
    prepare(order)
    return finish(order)


def prepare(order):
    return check(order)


def check(order):
    validate(order)


@through_helpers.step(after="receive")
def validate(order):
    return look_up(order)


def look_up(order):
    return ask(order)


def ask(order):
    return retrying(order, 3)


def retrying(order, times):
    if times:
        return retrying(order, times - 1)
    return fetch(order)


@through_helpers.step(after="validate")
def fetch(order):
    return order


def finish(order):
    return Closing(order).run()


class Closing:
    def __init__(self, order):
        self.order = order

    def run(self):
        return self._close()

    def _close(self):
        charge(self.order)
        return self.bill()

    def bill(self):
        return invoice(self.order)

    @property
    def parcel(self):
        return pack(self.order)


@through_helpers.step(after="validate")
def charge(order):
    even(order)


def even(order):
    return odd(order) if order else archive(order)


def odd(order):
    return even(order)


@through_helpers.step(after="charge")
def archive(order):
    return order


@through_helpers.step(after="charge")
def invoice(order):
    return Closing(order).parcel


@through_helpers.step(after="invoice")
def pack(order):
    return order


def unused(order):
    """Nothing calls this, so it makes no edge."""
    return fetch(order), pack(order)
