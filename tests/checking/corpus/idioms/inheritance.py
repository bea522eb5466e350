"""Bases, overrides and super()."""

from abc import ABC, abstractmethod

from penstock import entrypoint, flow, step


class Base(ABC):
    @entrypoint
    def receive(self, order):
        self.validate(order)
        return self.deliver(order)

    @step(after="receive")
    def validate(self, order):
        return self.look_up(order)

    def look_up(self, order):
        return order

    @abstractmethod
    def deliver(self, order):
        """Deliver it."""

    @step(after="deliver")
    def close(self, order):
        return order


class Audited:
    @step(after="validate")
    def audit(self, order):
        return order


@flow("inheritance")
class Post(Audited, Base):
    def look_up(self, order):
        self.fetch(order)
        return super().look_up(order)

    @step(after="validate")
    def fetch(self, order):
        return order

    @step(after="receive")
    def deliver(self, order):
        self.audit(order)
        self.pack(order)
        return super().close(order)

    @step(after="deliver")
    def pack(self, order):
        return Label.write(order)


class Label:
    @flow("inheritance")
    @step(after="pack")
    @staticmethod
    def write(order):
        return order


class Twice(Label):
    @flow("inheritance")
    @step(name="write twice", after="again")
    @staticmethod
    def write(order):
        return Label.write(order), super(Twice, Twice).write(order)


@flow("inheritance")
@step(after="close")
def again(order):
    return Twice.write(order)
