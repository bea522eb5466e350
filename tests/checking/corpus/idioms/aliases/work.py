"""The functions themselves."""

from penstock import flow

aliases = flow("aliases")


@aliases.step(after="receive")
def validate(order):
    act = look_up
    return act(order)


@aliases.step(after="validate")
def look_up(order):
    return order


@aliases.step(after="validate")
def charge(order):
    first, second = bill, book
    first(order)
    return second(order)


@aliases.step(after="charge")
def bill(order):
    return order


@aliases.step(after="charge")
def book(order):
    return _old_name(order)


@aliases.step(after="book")
def archive(order):
    return order


_old_name = archive


@aliases.step(after="charge")
def ship(order):
    validate = str  # hides the step
    return validate(order)
