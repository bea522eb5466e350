"""A class whose methods call each other."""

from penstock import entrypoint, flow, step


@flow("methods")
class Orders:
    def __init__(self, gateway=None):
        self.gateway = gateway

    @entrypoint
    def receive(self, order):
        self.validate(order)
        if order:
            return self.charge(order)
        this = self
        return this.refuse(order)

    @step(after="receive")
    def validate(self, order):
        return self._checked(order)

    def _checked(self, order):
        return type(self).normalise(order)

    @staticmethod
    @step(after="validate")
    def normalise(order):
        return order.strip()

    @step(after="receive")
    def charge(self, order):
        try:
            self.gateway.send(order)
        finally:
            self.record(order)

    @classmethod
    @step(after="charge")
    def record(cls, order):
        return cls.notify(order)

    @classmethod
    @step(after="record")
    def notify(cls, order):
        return Orders.archive(order)

    @staticmethod
    @step(after="notify")
    def archive(order):
        return order

    @step(after="receive")
    def refuse(self, order):
        return str(order)

    @step(after="refuse")
    def send(self, order):
        """Share its name with the gateway's method, which is no step."""


class Gateway:
    def send(self, order):
        return order

    def validate(self, order):
        return order
