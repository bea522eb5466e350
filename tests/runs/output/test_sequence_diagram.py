"""The sequence diagram of an operation, read by Mermaid itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.runs.operation import Operation, OrderJudgement
from penstock.runs.output.sequence_diagram import as_sequence_diagram
from tests.support.operations import at, call, operation, shop_operation

if TYPE_CHECKING:
    from tests.support.diagram_parsers import Mermaid

HOSTILE = [
    'x"];%%{init: {}}%% <script>alert(1)</script>',
    "end",
    "a\nNote over p1: b",
    "a; b #35; \N{SNOWMAN} : ->> x",
    "wrap: a",
    "\x1b[31m\u202e\ud800",
    "ﬂ°°35¶ß",
    " ",
]


def test_an_operation(mermaid: Mermaid) -> None:
    """Calls are arrows, messages are open ones, failures have a cross."""
    shown = shop_operation()
    broken = OrderJudgement("shipping", "", "out of order", calls=(shown.calls[-2],))
    drawn = mermaid.parse_sequence(as_sequence_diagram(shown, [broken]))
    doubt = shown.calls[-3].doubts[0]

    assert drawn.title == "4711abcd9f0e4b1c8d2e3f4a5b6c7d8e"
    assert drawn.participants == ["shop", "billing", "shipping"]
    assert drawn.messages == [
        ("shop", "shop", "NOTE", "orders/receive: 731 ms"),
        ("shop", "shop", "SOLID", "orders/lines, 5.0 ms"),
        ("shop", "shop", "SOLID", "orders/price, 0.5 ms"),
        ("shop", "shop", "SOLID", "orders/price, 0.5 ms"),
        ("shop", "billing", "SOLID", "billing/pay"),
        ("billing", "billing", "SOLID", "billing/reserve, 25.0 ms"),
        ("billing", "billing", "SOLID", "billing/capture"),
        ("billing", "billing", "DOTTED_CROSS", "error: CardError, 179 ms"),
        ("billing", "shop", "DOTTED_CROSS", "error: CardError, 218 ms"),
        ("shop", "billing", "SOLID", "billing/pay"),
        ("billing", "billing", "SOLID", "billing/reserve, 15.0 ms"),
        ("billing", "shop", "DOTTED", "288 ms"),
        ("shop", "shop", "SOLID", "orders/ship, 19.0 ms"),
        ("shop", "shipping", "SOLID_POINT", "shipping/parcel, sent 48.0 ms before"),
        ("shipping", "shipping", "NOTE", f"shipping/parcel: {doubt}"),
        ("shipping", "shipping", "SOLID", "shipping/label, 25.0 ms"),
        ("shipping", "shipping", "NOTE", "shipping/label is out of order"),
        ("shipping", "shipping", "SOLID", "shipping/pick"),
        ("shipping", "shipping", "NOTE", "shipping/pick: no end"),
        ("shipping", "shipping", "NOTE", "shipping/parcel: no end"),
    ]


def test_one_service(mermaid: Mermaid) -> None:
    """With one service, or none that is known, flows are the participants."""
    loops = [call("b/c", n, n + 1, outcome="cancelled") for n in range(1500)]
    shown = operation(
        call(
            "a/begin",
            None,
            2000,
            *loops,
            call("a/self", None, 9, outcome="retry"),
            call("b/ok", None, 9),
            call("b/lost", None, 9, sent_at_us=at(0), outcome="error"),
            call("b/sent", 5, 9, sent_at_us=at(0)),
        )
    )
    drawn = mermaid.parse_sequence(as_sequence_diagram(shown, []))

    assert drawn.participants == ["a", "b"]
    assert drawn.messages == [
        ("a", "a", "NOTE", "a/begin: ok"),
        ("a", "b", "SOLID", "b/c × 1,500"),
        ("b", "a", "DOTTED", "cancelled, 1.0 ms"),
        ("a", "a", "SOLID", "a/self"),
        ("a", "a", "DOTTED", "retry"),
        ("a", "b", "SOLID", "b/ok"),
        ("b", "a", "DOTTED", "ok"),
        ("a", "b", "SOLID_POINT", "b/lost"),
        ("b", "b", "NOTE", "b/lost: error"),
        ("a", "b", "SOLID_POINT", "b/sent, 4.0 ms, sent 5.0 ms before"),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(mermaid: Mermaid, name: str) -> None:
    """A name is shown as it is, control characters escaped, and is never markup."""
    failed = {"outcome": "error", "error_type": name, "doubts": [name]}
    inner = call(f"{name}/{name}", 1, 2, service=name, **failed)
    shown = operation(call("a/b", 0, 3, inner, service="shop"), root_id=name)
    drawn = mermaid.parse_sequence(as_sequence_diagram(shown, []))

    assert [one[2] for one in drawn.messages] == [
        "NOTE",
        "SOLID",
        "NOTE",
        "DOTTED_CROSS",
    ]
    if name.isprintable() and name.strip():
        assert drawn.participants == ["shop", name]
        assert drawn.messages[1][3] == f"{name}/{name}"


def test_many_calls(mermaid: Mermaid) -> None:
    """What Mermaid would not draw any more is counted."""
    kinds = [call(f"f/s{n}", 0, 1) for n in range(5000)]
    text = as_sequence_diagram(operation(call("f/a", 0, 1, *kinds)), [])
    drawn = mermaid.parse_sequence(text)
    (last,) = drawn.messages[-1:]

    assert 40_000 < len(text) < 50_000
    assert last[2:] == ("NOTE", f"{5001 - len(drawn.messages) + 1:,} more calls")


def test_many_services(mermaid: Mermaid) -> None:
    """The last column is for all that have none, whatever their names are."""
    calls = [call("f/s", 0, 1, service=f"{n};" * 1000) for n in range(100)]
    text = as_sequence_diagram(operation(call("f/a", 0, 1, *calls)), [])
    drawn = mermaid.parse_sequence(text)

    assert len(text) < 50_000
    assert len(drawn.participants) == 41
    assert drawn.participants[40] == "(61 more)"
    assert max(map(len, drawn.participants)) == 201


def test_no_call(mermaid: Mermaid) -> None:
    """An operation of which only other lines are stored is drawn, too."""
    assert (
        mermaid.parse_sequence(as_sequence_diagram(Operation("r"), [])).messages == []
    )
