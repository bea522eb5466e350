"""Celery: delay, apply_async, signatures, chains, groups and chords."""

from celery import chain, chord, group

from penstock import flow
from penstock.contrib.celery import flow_task

tasks = flow("tasks")


@tasks.entrypoint
def receive(order):
    validate.delay(order)
    charge.apply_async((order,), countdown=3)


@tasks
@flow_task(after="receive")
def validate(order):
    chain(fetch.s(order), parse.s())()


@tasks
@flow_task(after="validate")
def fetch(order):
    return order


@tasks
@flow_task(after="fetch")
def parse(order):
    (pack.si(order) | ship.si(order)).delay()


@tasks
@flow_task(after="parse")
def pack(order):
    return order


@tasks
@flow_task(after="pack")
def ship(order):
    return order


@tasks
@flow_task(after="receive", bind=True)
def charge(self, order):
    if not order:
        raise self.retry()
    group(bill.s(part) for part in order).apply_async()


@tasks
@flow_task(after="charge")
def bill(part):
    chord([print_out.s(part), book.s(part)], close.s())()


@tasks
@flow_task(after="bill")
def print_out(part):
    return book(part)


@tasks
@flow_task(after="bill")
def book(part):
    return part


@tasks
@flow_task(after=["print_out", "book"])
def close(parts):
    remind.apply_async(args=[parts], link_error=complain.s())


@tasks
@flow_task(after="close")
def remind(parts):
    return parts


@tasks
@flow_task(after="close")
def complain(parts):
    return parts
