"""The shop's front: FastAPI. It takes an order, and calls the three others."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
from celery import Celery
from confluent_kafka import Producer
from fastapi import FastAPI

import penstock
from penstock import flow
from penstock.contrib.asgi import FlowMiddleware
from penstock.contrib.celery import install_celery_signals
from penstock.contrib.httpx import instrument
from penstock.contrib.kafka import flow_headers

from .service import address, set_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Order = dict[str, str]

log = logging.getLogger("shop.front")
checkout = flow("checkout", owner="web", description="From the click to the parcel.")
office = httpx.AsyncClient(base_url=f"http://{address('office')}")
instrument(office, hosts=["127.0.0.1"])
tasks = Celery("front", broker=f"redis://{address('redis')}/0")
install_celery_signals()
producer = Producer({"bootstrap.servers": address("kafka"), "log_level": 0})


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Set up the service when the server starts, and close its client at the end."""
    set_up("front")
    yield
    await office.aclose()


api = FastAPI(lifespan=lifespan)
app = FlowMiddleware(api)


@api.post("/orders")
async def orders(order: dict[str, str]) -> dict[str, Any]:
    """Answer the browser."""
    log.info("order %s came in", order["number"])
    await take_order(order)
    return {"number": order["number"], "flow_id": penstock.current_flow_id()}


@checkout.entrypoint
async def take_order(order: Order) -> None:
    """Take an order: reserve the goods first, then send what can be done later."""
    penstock.set_flow_context_value("customer", order["customer"])
    await reserve(order)
    order_invoice(order)
    announce(order)


@checkout.step(after=take_order)
async def reserve(order: Order) -> None:
    """Reserve the goods in the back office, by HTTP."""
    answer = await office.post(f"/stock/{order['number']}/")
    answer.raise_for_status()


@checkout.step(after=reserve)
def order_invoice(order: Order) -> None:
    """Send a task to write the invoice."""
    tasks.send_task("shop.write_invoice", [order["number"]])


@checkout.step(after=reserve)
def announce(order: Order) -> None:
    """Publish a message about the order."""
    producer.produce("orders", order["number"].encode(), headers=flow_headers())
    producer.flush(30)
