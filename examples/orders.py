"""One order, followed by its correlation ID: ``python -m examples.orders``."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field

from penstock import (
    configure,
    entrypoint,
    flow,
    generate_dag,
    install_log_fields,
    step,
)

parcels = logging.getLogger("shop.parcels")


@dataclass(slots=True)
class Order:
    """What a customer wants."""

    number: str
    amounts: list[int] = field(default_factory=list)


@flow("orders", owner="shop")
class OrderFlow:
    """From the click to the parcel."""

    @entrypoint
    def receive(self, order: Order) -> str:
        """Take the order from the shop."""
        self.validate(order)
        receipt = self.charge(order)
        self.ship(order)
        return receipt

    @step(after="receive")
    def validate(self, order: Order) -> None:
        """Refuse an order that holds nothing."""
        if not order.amounts:
            msg = f"order {order.number} is empty"
            raise ValueError(msg)

    @step(after="validate")
    def charge(self, order: Order) -> str:
        """Take the money."""
        return f"receipt for {sum(order.amounts)}"

    @step(after="validate")
    def ship(self, order: Order) -> None:
        """Send the parcel."""
        parcels.info("order %s goes out", order.number)


def main() -> None:
    """Handle a good order and an empty one, then show the flow."""
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="%(levelname)-7s %(message)s  [%(flow)s/%(step)s]",
    )
    configure("logging")
    install_log_fields()  # for parcels, and every other logger
    orders = OrderFlow()

    print(orders.receive(Order("A-1", [30, 12])))
    try:
        orders.receive(Order("A-2"))
    except ValueError as exc:
        print(f"refused: {exc}")

    print(generate_dag("orders"))


if __name__ == "__main__":
    main()
