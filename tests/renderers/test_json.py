"""JSON: everything about the flows, the same bytes everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock import FlowInfo, StepInfo
from tests.support.flow_values import draw_text, flow_of


def parsed(*flows: FlowInfo) -> dict[str, Any]:
    """Return the JSON of *flows*, parsed."""
    text = draw_text("json", flows)
    document: dict[str, Any] = json.loads(text)
    return document


def test_everything_is_there() -> None:
    """Steps and flows have the keys of the documented manifest."""
    step = StepInfo(
        "charge",
        "orders",
        is_entrypoint=True,
        after=(("billing/x:y",),),
        description="Charge it.",
        doc="Charge it.\n\nTwice.",
        tags=("io",),
        module="shop.orders",
        qualname="Orders.charge",
        path="/anywhere/shop/orders.py",
        line=7,
        is_async=True,
        crosses=True,
        signature="(order: str) -> int",
    )
    url = "https://forge.example/{path}"
    flow = FlowInfo("orders", (step,), "payments", "Sells.", ("core",), "shop", url)

    assert parsed(flow) == {
        "penstock": 1,
        "service": "shop",
        "flows": [
            {
                "name": "orders",
                "source_url": url,
                "owner": "payments",
                "description": "Sells.",
                "tags": ["core"],
                "steps": [
                    {
                        "name": "charge",
                        "entrypoint": True,
                        "after": [["billing/x:y"]],
                        "description": "Charge it.",
                        "doc": "Charge it.\n\nTwice.",
                        "tags": ["io"],
                        "module": "shop.orders",
                        "qualname": "Orders.charge",
                        "path": "shop/orders.py",
                        "line": 7,
                        "async": True,
                        "crosses": True,
                        "signature": "(order: str) -> int",
                    }
                ],
                "edges": [
                    {
                        "before": "billing/x:y",
                        "after": "charge",
                        "all_of": False,
                        "crosses": True,
                    }
                ],
            }
        ],
    }


def test_order_of_declaration_plays_no_part() -> None:
    """Flows, steps, alternatives and joins are sorted."""
    one = flow_of("f", {"a": None, "b": None, "c": ["a", ("b", "a"), "a"]})
    two = FlowInfo("f", one.steps[::-1])
    other = flow_of("e", {"x": ["f:a"]})
    text = draw_text("json", [one, other], detail=True)

    assert draw_text("json", [other, two], direction="LR") == text
    assert json.loads(text)["flows"][1]["steps"][2]["after"] == [["a"], ["a", "b"]]


def test_edges_stand_with_their_step() -> None:
    """An edge is listed once, in the flow of its second step."""
    document = parsed(
        flow_of("f", {"a": None, "b": ["a", "g:x", ("a", "g:x")]}),
        flow_of("g", {"x": None}),
    )
    edges = [flow["edges"] for flow in document["flows"]]

    assert [
        [(e["before"], e["after"], e["all_of"]) for e in some] for some in edges
    ] == [
        [("a", "b", True), ("g:x", "b", True)],
        [],
    ]


def test_several_services() -> None:
    """Flows name their service if there are several, and no edge is listed twice."""
    document = parsed(
        flow_of("f", {"a": None, "b": "a"}, service="mail"),
        flow_of("f", {"a": None, "b": "a"}, service="shop"),
        flow_of("g", {"x": None}),
    )

    assert document["service"] == ""
    assert [
        (flow["name"], flow.get("service"), len(flow["edges"]))
        for flow in document["flows"]
    ] == [("f", "mail", 1), ("f", "shop", 0), ("g", None, 0)]


@pytest.mark.parametrize(
    ("module", "path", "portable"),
    [
        ("shop.orders", "/srv/app/shop/orders.py", "shop/orders.py"),
        ("shop", "/srv/app/shop/__init__.py", "shop/__init__.py"),
        ("shop.orders", r"C:\app\shop\orders.py", "shop/orders.py"),
        ("__main__", "/srv/app/tool.py", "tool.py"),
        ("__main__", "C:/app/tool.py", "tool.py"),
        ("__main__", str(Path.cwd() / "bin" / "tool.py"), "bin/tool.py"),
        ("shop.orders", "shop/orders.py", "shop/orders.py"),
        ("other", "shop/orders.py", "shop/orders.py"),
        ("orders", "/srv/my_orders.py", "my_orders.py"),
        ("shop", "<stdin>", "<stdin>"),
        ("shop", "", ""),
    ],
)
def test_paths_are_the_same_everywhere(module: str, path: str, portable: str) -> None:
    """Paths are relative, to the import path or to the current folder."""
    step = StepInfo("a", "f", module=module, path=path)
    (flow,) = parsed(FlowInfo("f", (step,)))["flows"]

    assert flow["steps"][0]["path"] == portable


def test_text_that_utf_8_cannot_hold() -> None:
    """Half a surrogate pair is escaped, everything else is readable."""
    text = draw_text("json", [flow_of("f", {"注\ud800文": None})])

    assert '"注\\ud800文"' in text
    assert json.loads(text.encode())["flows"][0]["steps"][0]["name"] == "注\ud800文"
