from __future__ import annotations

import penstock
from penstock import configure, flow
from penstock.recording import judge
from penstock.recording._diagram import draw_evidence


def test_edges_have_the_colour_of_their_evidence() -> None:
    """Green, grey and red; also where they come from other flows and services."""
    judge.clear()
    configure(conformance="record")
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> None:
        ship()  # type: ignore[no-untyped-call]  # a lambda
        charge()  # type: ignore[no-untyped-call]  # a lambda

    after = ["charge", "receive", "billing:invoice", "other/shop:publish", "gone"]
    charge = orders.step(name="charge", after="receive")(lambda: None)
    ship = orders.step(name="ship", after=after)(lambda: None)
    receive()
    report = penstock.conformance_report().to_dict()
    judge.clear()

    lines = draw_evidence(report).splitlines()
    edges = [line for line in lines if ">" in line]
    styles = [line for line in lines if "linkStyle" in line]
    found = {
        edge.split()[0].partition("[")[0] + " " + edge.split()[-1]: style.split(":")[1]
        for edge, style in zip(edges, styles, strict=True)
    }
    assert lines[:4] == ["## orders", "", "```mermaid", "graph TD"]
    assert found == {
        "receive charge": "#2a7d3f,stroke-width",
        "receive ship": "#2a7d3f,stroke-width",
        "charge ship": "#c0392b,stroke-width",
        "gone ship": "#a0a0a0,stroke-dasharray",
        "billing_invoice ship": "#a0a0a0,stroke-dasharray",
        "other_shop_publish ship": "#a0a0a0,stroke-dasharray",
    }
