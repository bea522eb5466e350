"""The diagram that a document asks for."""

from __future__ import annotations

import pytest

from penstock import ConfigurationError, UnknownFlowError
from penstock._documents.embed import (
    DiagramRequest,
    chosen_flows,
    draw_picture,
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
        ("a file=b/c.svg", DiagramRequest("a", format="svg", file="b/c.svg")),
        ("a file=../c.PNG", DiagramRequest("a", format="png", file="../c.PNG")),
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
        ("a file=b.gif", "that ends in .svg or .png"),
        ("a file=/b.svg", "relative to this document"),
        ("a file=b>.svg", "relative to this document"),
        ("a file=b.svg format=text", "leave out 'format'"),
        ("it's", "no closing quotation"),
    ],
)
def test_wrong_requests(text: str, told: str) -> None:
    """The message lists what is possible."""
    with pytest.raises(ConfigurationError, match=told):
        parse_request(text)


@pytest.mark.parametrize(
    ("flows", "file", "image"),
    [
        ("orders", "img/a.svg", "![orders](img/a.svg)"),
        ("*", "a.svg", "![all flows](a.svg)"),
        ("a[b]", "two words.svg", r"![a\[b\]](<two words.svg>)"),
    ],
)
def test_image(flows: str, file: str, image: str) -> None:
    """The text that stands for a picture is the flow's name."""
    assert DiagramRequest(flows, file=file).image == image


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


def test_picture() -> None:
    """A file ends with a newline, like a drawing that the command line writes."""
    request = DiagramRequest("orders", format="svg", file="a.svg")

    assert draw_picture(request, FLOWS).endswith(b"</svg>\n")


def test_drawings() -> None:
    """Predecessors may be in other known flows, and text has a fixed width."""
    billing = draw_text(DiagramRequest("billing"), FLOWS)
    assert '["orders#58;charge"] --> send' in billing
    assert draw_text(DiagramRequest("billing"), (BILLING,), (ORDERS,)) == billing
    assert "║ receive ║" in draw_text(DiagramRequest("orders", format="text"), FLOWS)
    assert draw_text(DiagramRequest("orders", format="dot"), FLOWS).startswith(
        "digraph"
    )
