"""The diagram that a document asks for."""

from __future__ import annotations

import pytest

from penstock import ConfigurationError, UnknownFlowError
from penstock._documents.embed import (
    DiagramRequest,
    chosen_flows,
    draw_text,
    parse_request,
)
from tests.support.flow_values import flow_of

ORDERS = flow_of("orders", {"receive": None, "charge": "receive"})
BILLING = flow_of("billing", {"invoice": None, "send": ["invoice", "orders:charge"]})
FLOWS = (ORDERS, BILLING)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("orders", DiagramRequest("orders")),
        ("orders detail", DiagramRequest("orders", detail=True)),
        ('"a b" direction=LR', DiagramRequest("a b", direction="LR")),
        ("a,b format=text", DiagramRequest("a,b", format="text")),
        ("*  detail  format=json", DiagramRequest("*", format="json", detail=True)),
    ],
)
def test_requests(text: str, request_: DiagramRequest) -> None:
    """A name, then options in any order."""
    assert parse_request(text) == request_


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a detail=1", "'detail' takes no value"),
        ("a direction", "needs a value, such as direction=LR"),
        ("a format=", "needs a value, such as format=text"),
        ("a format=txt", "Did you mean 'text'"),
        ("a direction=down", "direction is one of TD"),
        ("order flow", "Quote a name that has spaces"),
        ("a detial", "Did you mean 'detail'"),
        ("it's", "no closing quotation"),
    ],
)
def test_wrong_requests(text: str, told: str) -> None:
    """The message lists what is possible."""
    with pytest.raises(ConfigurationError, match=told):
        parse_request(text)


def test_names() -> None:
    """One flow, several or all; a flow with a comma in its name works too."""
    odd = flow_of("orders,billing", {"a": None})

    assert chosen_flows("orders", FLOWS) == (ORDERS,)
    assert chosen_flows("billing, orders", FLOWS) == FLOWS
    assert chosen_flows("*", FLOWS) == FLOWS
    assert chosen_flows("orders,billing", (*FLOWS, odd)) == (odd,)


def test_unknown_names() -> None:
    """The error suggests a similar name."""
    with pytest.raises(UnknownFlowError, match=r"'order'\. Did you mean 'orders'"):
        chosen_flows("billing,order", FLOWS)
    with pytest.raises(UnknownFlowError, match=r"no flow is declared yet"):
        chosen_flows("orders", ())


def test_drawings() -> None:
    """Predecessors may be in other known flows, and text has a fixed width."""
    billing = draw_text(DiagramRequest("billing"), FLOWS)
    assert '["orders#58;charge"] --> send' in billing
    assert draw_text(DiagramRequest("billing"), (BILLING,), (ORDERS,)) == billing
    assert "║ receive ║" in draw_text(DiagramRequest("orders", format="text"), FLOWS)
    assert draw_text(DiagramRequest("orders", format="dot"), FLOWS).startswith(
        "digraph"
    )
