"""Calls in comprehensions, with, walrus, match, f-strings, lambdas and defaults."""

from contextlib import ExitStack, contextmanager

from penstock import flow

places = flow("places")


@places.entrypoint
def receive(order):
    parts = [validate(part) for part in order if allowed(part)]
    with lock(order) as held, open_box(held):
        pass
    if (price := rate(order)) and price > 3:
        return {part: pack(part) for part in parts}
    return f"{label(order)!r:>{width(order)}}"


@places.step(after="receive")
def validate(part):
    match part:
        case [first, *_] if odd(first):
            return weigh(first)
        case {"kind": "x"}:
            return measure(part)
    return any(odd(one) for one in part)


@places.step(after="receive")
def allowed(part):
    return (lambda one: rate(one))(part)


@contextmanager
@places.step(after="receive")
def lock(order):
    yield order
    unlock(order)


@places.step(after="lock")
def unlock(order):
    return order


class open_box:  # noqa: N801  # used like a function
    def __init__(self, box):
        self.box = box

    @places.step(after="lock")
    def __enter__(self):
        return self

    @places.step(after="__enter__")
    def __exit__(self, *exc):
        with ExitStack() as stack:
            stack.callback(seal, self.box)


@places.step(after="__exit__")
def seal(box):
    return box


@places.step(after="receive")
def rate(order):
    return order


@places.step(after="receive")
def pack(part):
    while not (done := seal(part)):
        assert weigh(part), measure(part)
    return done


@places.step(after="receive")
def label(order):
    try:
        return rate(order)
    except (KeyError, ValueError):
        return refuse(order)
    else:
        print()
    finally:
        unlock(order)


@places.step(after="label")
def refuse(order):
    raise Refused(width(order))


class Refused(Exception):
    pass


@places.step(after="receive")
def width(order):
    return order


@places.step(after="validate")
def odd(one):
    return one


@places.step(after="validate")
def weigh(one):
    return one


@places.step(after="validate")
def measure(one):
    return one
