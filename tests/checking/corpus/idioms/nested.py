"""Functions in functions, closures and decorators of one's own."""

from functools import lru_cache, wraps

from penstock import flow

nested = flow("nested")


def logged(func):
    @wraps(func)
    def inner(*args):
        print(func)
        return func(*args)

    return inner


@nested.entrypoint
def receive(order):
    def first():
        return validate(order)

    def second(times):
        if times:
            return second(times - 1)
        return third()

    def third():
        return charge(order)

    def never():
        return ship(order)

    first()
    second(3)
    return make(order)()


def make(order):
    def made():
        return pack(order)

    return made


@nested.step(after="receive")
@logged
def validate(order):
    @logged
    def deep():
        return look_up(order)

    return deep()


@lru_cache
@nested.step(after="validate")
def look_up(order):
    return order


@logged
@nested.step(after="validate")
def charge(order):
    class Local:
        def run(self):
            return bill(order)

    return Local().run()


@nested.step(after="charge")
def bill(order):
    yield from lines(order)


@nested.step(after="bill")
def lines(order):
    yield order


@nested.step(after="validate")
def pack(order):
    helper = lambda: ship(order)  # noqa: E731  # people write it
    return helper()


@nested.step(after="pack")
def ship(order):
    return order
