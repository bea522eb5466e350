"""Steps on objects that are held by other objects."""

from dataclasses import dataclass, field

from penstock import entrypoint, flow, step

attributes = flow("attributes")


class Store:
    def __init__(self, table):
        self.table = table

    @attributes.step(after="receive")
    def save(self, order):
        return self.table.insert(order)

    @attributes.step(after="save")
    def load(self, order):
        return order


class Table:
    @attributes.step(after="save")
    def insert(self, row):
        return row


class Service:
    mailer = None

    def __init__(self, store: Store):
        self.store = store
        self.bank = Bank()
        self.mailer = self._make_mailer()

    def _make_mailer(self) -> "Mailer":
        return Mailer(self)

    @attributes.entrypoint
    def receive(self, order):
        self.store.save(order)
        self.bank.charge(order)
        self.mailer.send(order)
        return self.finish(order)

    @attributes.step(after="receive")
    def finish(self, order):
        context = Context(order)
        context.store.load(order)
        bank = context.bank()
        return bank.close(order)


class Bank:
    @attributes.step(after="receive")
    def charge(self, order):
        return self.ledger.book(order)

    @property
    def ledger(self):
        return Ledger()

    @attributes.step(after="finish")
    def close(self, order):
        return order


class Ledger:
    @attributes.step(after="charge")
    def book(self, order):
        return order


class Mailer:
    def __init__(self, service):
        self.service = service

    @attributes.step(after="receive")
    def send(self, order):
        return self.service.finish(order)


@dataclass
class Context:
    order: str
    store: Store = field(default_factory=lambda: Store(Table()))

    def bank(self):
        return Bank()
