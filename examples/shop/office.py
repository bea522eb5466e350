"""The back office: Django. It manages the stock, and records what has been shipped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

import penstock
from penstock import flow

from .service import keep, set_up

if TYPE_CHECKING:
    from django.http import HttpResponse

log = logging.getLogger("shop.office")
stock = flow("stock", owner="warehouse", description="What is there, and what is gone.")


@stock.entrypoint(after="front/checkout:reserve")
def reserve_goods(number: str) -> None:
    """Put the goods of an order aside."""
    take_from_shelf(number)


@stock.step(after=reserve_goods)
def take_from_shelf(number: str) -> None:
    """Note that they are no longer for sale."""
    keep("reservations", number)
    log.info("goods of %s put aside", number)


@stock.entrypoint(after="shipping/parcels:tell_office")
def note_shipped(number: str) -> None:
    """Note that an order has left the house."""
    keep("shipped", number)
    log.info("%s has left for customer %s", number, customer())


def customer() -> str:
    """Return the metadata that came with the order."""
    return str(penstock.get_flow_context_value("customer", "(unknown)"))


def reserve_view(_request: HttpRequest, number: str) -> HttpResponse:
    """Handle the request of the front."""
    reserve_goods(number)
    return JsonResponse({"reserved": number})


def shipped_view(_request: HttpRequest, number: str) -> HttpResponse:
    """Handle the request of the shipping department."""
    note_shipped(number)
    return JsonResponse({"shipped": number})


urlpatterns = [
    path("stock/<number>/", reserve_view),
    path("shipped/<number>/", shipped_view),
]
if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=["penstock.contrib.django.FlowMiddleware"],
        PENSTOCK={"trust_inbound": "all"},  # only our own services call it
        ROOT_URLCONF=__name__,
        SECRET_KEY="no secret",  # noqa: S106  # nothing is signed here
    )
application = get_asgi_application()
set_up("office")
