"""The accounts: a Celery worker. It writes invoices when there is time."""

from __future__ import annotations

import logging

from celery import Celery, signals

from penstock import flow
from penstock.contrib.celery import flow_task

from .service import address, keep, set_up

log = logging.getLogger("shop.worker")
invoices = flow("invoices", owner="accounts", description="What is owed by whom.")
app = Celery("worker", broker=f"redis://{address('redis')}/0")
app.conf.broker_connection_retry_on_startup = True


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _set_up(**_: object) -> None:
    set_up("worker")


@invoices
@flow_task(name="shop.write_invoice", after="front/checkout:order_invoice")
def write_invoice(number: str) -> None:
    """Write an invoice."""
    store_invoice(number)


@invoices.step(after=write_invoice)
def store_invoice(number: str) -> None:
    """Keep it for ten years."""
    keep("invoices", number)
    log.info("invoice for %s written", number)
