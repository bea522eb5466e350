"""A small program without markers, to draft flows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .projects import Project

__all__ = ["write_shop"]

VIEWS = '''
from shop.orders import Order, cart_of
from shop import payments, stock
from shop.mails import send_receipt


def checkout_view(request):
    """Buy what is in the cart."""
    cart = cart_of(request)
    order = create_order(cart)
    if order.total:
        payments.charge_order(order)
    for line in order.lines:
        stock.reserve_line(line)
    send_receipt(order)
    return order


def create_order(cart):
    order = Order()
    order.total = 3
    order.lines = list(cart)
    order.save()
    return order
'''
ORDERS = """
class Order:
    def save(self):
        log("saved")


def cart_of(request):
    return request["cart"]


def log(text):
    print(text)
"""
PAYMENTS = """
from shop.gateways import Card, Gateway, Invoice
from shop.orders import log


def charge_order(order):
    gateway = find_gateway(order)
    gateway.capture_payment(order)
    log("charged")


def find_gateway(order) -> Gateway:
    return Card() if order.total else Invoice()
"""
GATEWAYS = """
from shop.orders import log


class Gateway:
    def capture_payment(self, order):
        raise NotImplementedError


class Card(Gateway):
    def capture_payment(self, order):
        log("card")
        order.write("paid")


class Invoice(Gateway):
    def capture_payment(self, order):
        log("invoice")
        order.write("billed")
"""
STOCK = """
from shop.orders import log


def reserve_line(line):
    log(line)
    line.update(1)
"""
MAILS = """
import smtplib

from shop.orders import log

HANDLERS = {}


def send_receipt(order):
    log("mail")
    HANDLERS[order](order)
    smtplib.SMTP().send_message(order)
"""


def write_shop(project: Project) -> None:
    """Write the package ``shop`` into *project*."""
    project.write("shop/__init__.py", "")
    project.write("shop/views.py", VIEWS)
    project.write("shop/orders.py", ORDERS)
    project.write("shop/payments.py", PAYMENTS)
    project.write("shop/gateways.py", GATEWAYS)
    project.write("shop/stock.py", STOCK)
    project.write("shop/mails.py", MAILS)
