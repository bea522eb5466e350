"""Operations as they are read from stored lines, made by hand."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from penstock.runs.lines import StoredLine
from penstock.runs.operation import Operation, OrderJudgement, StoredCall
from tests.support.flow_values import flow_of

if TYPE_CHECKING:
    from penstock import FlowInfo
    from tests.support.flow_values import After

__all__ = [
    "BEGIN_US",
    "call",
    "line",
    "operation",
    "shop_flows",
    "shop_judgements",
    "shop_operation",
]

BEGIN_US = 1_796_033_702_123_456
"""2026-11-30 10:15:02.123456 in UTC."""

_numbers = count(1)


def call(
    label: str,
    start_ms: float | None = 0,
    end_ms: float | None = 1,
    *children: StoredCall,
    **more: Any,
) -> StoredCall:
    """Return a call of ``flow/step`` that made *children*, at times after the begin."""
    flow, _, step = label.partition("/")
    made = StoredCall(
        flow,
        step,
        start_us=_us(start_ms),
        end_us=_us(end_ms),
        outcome="" if end_ms is None else "ok",
        children=list(children),
        call_id=f"5f0c11d29ab3e477-{next(_numbers)}",
    )
    for name, value in more.items():
        setattr(made, name, value)
    for child in children:
        child.parent = made
        child.parent_call_id = made.call_id
        child.parent_step = label
    return made


def _us(ms: float | None) -> int | None:
    return None if ms is None else BEGIN_US + round(ms * 1000)


def at(ms: float) -> int:
    """Return the time *ms* milliseconds after the begin."""
    return BEGIN_US + round(ms * 1000)


def line(ms: float | None, message: str, **fields: Any) -> StoredLine:
    """Return another line of a log."""
    known = {"level": "INFO", "logger": "shop", "message": message, **fields}
    return StoredLine(_us(ms), known)


def operation(*roots: StoredCall, **more: Any) -> Operation:
    """Return the operation with these roots."""
    calls: list[StoredCall] = []
    waiting = list(reversed(roots))
    while waiting:
        one = waiting.pop()
        calls.append(one)
        waiting += reversed(one.children)
    made = Operation("4711abcd9f0e4b1c8d2e3f4a5b6c7d8e", list(roots), calls)
    for one in calls:
        one.root_id = made.root_id
        one.correlation_id = one.correlation_id or made.root_id
        one.run_id = one.run_id or (one.parent or one).run_id or one.call_id
    for name, value in more.items():
        setattr(made, name, value)
    return made


def shop_operation() -> Operation:
    """Return an order over three services with all that can happen to one.

    There is a retry, a failure, a call without end, a generator, and a doubt.
    """
    shop = {"service": "shop", "host": "web-1", "process": "71"}
    bill = {"service": "billing", "host": "pay-1", "process": "8"}
    ship = {"service": "shipping", "host": "ship-1", "process": "12"}
    rows = [call("orders/price", 8 + n, 8.5 + n, **shop) for n in range(2)]
    pay = call(
        "billing/pay",
        92,
        310,
        call("billing/reserve", 95, 120, **bill),
        call(
            "billing/capture",
            121,
            300,
            **bill,
            outcome="error",
            error_type="CardError",
            lines=[line(299, "card refused\nby the bank", level="WARNING")],
        ),
        **bill,
        outcome="error",
        error_type="CardError",
    )
    again = call(
        "billing/pay", 402, 690, call("billing/reserve", 410, 425, **bill), **bill
    )
    parcel = call(
        "shipping/parcel",
        760,
        None,
        call("shipping/label", 765, 790, **ship),
        call("shipping/pick", 791, None, **ship),
        **ship,
        sent_at_us=at(712),
        doubts=["two calls of orders/ship were open, so it may belong to the other"],
    )
    entry = call(
        "orders/receive",
        0,
        731,
        call("orders/lines", 7, 12, *rows, **shop, first_item_us=at(7.9)),
        pay,
        again,
        call("orders/ship", 711, 730, parcel, **shop),
        **shop,
    )
    return operation(
        entry,
        gaps=["2 calls without an end"],
        lines=[line(800, "queue is long", logger="broker")],
    )


def shop_flows() -> list[FlowInfo]:
    """Return the flows of that order, with steps that it did not call."""
    orders: dict[str, After] = {
        "receive": None,
        "lines": "receive",
        "price": "lines",
        "discount": "lines",
        "ship": ["billing:pay", "price"],
    }
    billing: dict[str, After] = {
        "pay": None,
        "reserve": "pay",
        "capture": "reserve",
        "refund": "capture",
    }
    shipping: dict[str, After] = {
        "parcel": None,
        "pick": "parcel",
        "label": "pick",
        "hand_over": [("label", "pick")],
    }
    return [
        flow_of("orders", orders, service="shop"),
        flow_of("billing", billing, service="billing"),
        flow_of("shipping", shipping, service="shipping"),
    ]


def shop_judgements(shown: Operation) -> list[OrderJudgement]:
    """Return verdicts on that order, one of each kind."""
    label = next(one for one in shown.calls if one.step == "label")
    return [
        OrderJudgement("orders", "", "in order"),
        OrderJudgement("billing", "", "unknown", ("lines are missing",)),
        OrderJudgement(
            "shipping",
            "",
            "out of order",
            ("'label' was called when 'pick' had not ended",),
            (("pick", "label"),),
            (label,),
        ),
    ]
