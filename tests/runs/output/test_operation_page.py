"""An operation as an HTML page."""

from __future__ import annotations

import re

import pytest

from penstock.runs.operation import Operation
from penstock.runs.output.facts import Shown
from penstock.runs.output.operation_page import as_page
from tests.support.flow_values import flow_of
from tests.support.html_pages import Page
from tests.support.operations import (
    BEGIN_US,
    call,
    line,
    operation,
    shop_flows,
    shop_judgements,
    shop_operation,
)

HOSTILE = "</style></script><script>alert(1)</script>\x00\u202e\ud800\n${x}\" onload='x"


def shop_page(*, with_logs: bool = False) -> str:
    """Return the page of the order of the shop."""
    shown = shop_operation()
    judgements = {shown: shop_judgements(shown)}
    flows = shop_flows()
    return as_page(shown, Shown([shown], judgements, "", flows, with_logs=with_logs))


def page_of(shown: Operation, steps: tuple[str, ...] = ()) -> str:
    """Return the page of an operation of a flow ``f`` with these steps."""
    flows = [flow_of("f", dict.fromkeys(steps))] if steps else []
    return as_page(shown, Shown([shown], flows=flows))


def rows_of(page: str) -> list[str]:
    """Return the words of each row."""
    rows = re.findall(r"<tr class=.*?</tr>", page, re.DOTALL)
    return [" ".join(Page(one).words) for one in rows]


def lit(page: str, state: str) -> set[str]:
    """Return the IDs that the style gives a state: the first rule that has it."""
    (found,) = re.findall(rf"^\.penstock {state}:is\((.*?)\)", page, re.MULTILINE)[:1]
    return {one.removeprefix("#") for one in found.split(",")}


def test_the_header() -> None:
    """It says what the text says: the facts, the verdicts with reasons, the doubts."""
    words = Page(shop_page()).words

    for text in (
        "4711abcd9f0e4b1c8d2e3f4a5b6c7d8e",
        "2026-11-30T10:15:02.123456Z, at least 791 ms in all",
        "13 calls in shop, billing, shipping",
        "billing/capture (billing): CardError, ok when billing/pay was called again",
        "2 calls without an end",
        "orders: in order",
        "billing: unknown, because lines are missing",
        "shipping: out of order: 'label' was called when 'pick' had not ended",
        "[1] two calls of orders/ship were open, so it may belong to the other",
    ):
        assert text in words


def test_the_rows() -> None:
    """Each call is a row with its service, its marks and how long it took."""
    rows = rows_of(shop_page())

    assert len(rows) == 13
    assert rows[0] == "orders/ receive   shop 731 ms"
    assert rows[4] == "billing/ pay   billing   ✗ CardError 218 ms"
    assert rows[10] == (
        "shipping/ parcel   shipping   sent 48.0 ms before   [1] no end ?"
    )


def test_the_path() -> None:
    """Steps that were called, and edges between them, are lit; the rest is not."""
    page = shop_page()
    cards = set(re.findall(r'data-card="(.*?)"', page))
    drawn = {given["id"] for given in Page(page).of_class("node")}

    assert lit(page, ".node") == cards
    assert drawn - cards == {"step-discount", "step-hand_over", "step-refund"}
    assert ".node:is(#step-discount,#step-hand_over,#step-refund) {" in page
    assert "edge-pay-ship" in page
    assert "#edge-pay-ship" in page.split("edge:not")[1].split(")")[0]
    assert "#edge-capture-refund" not in page
    assert ".node:is(#step-capture,#step-pay) {" in page
    assert ".edge:is(#edge-pick-label) {\n  opacity: 1;" in page


def test_the_legend() -> None:
    """It has what occurs."""
    whole = page_of(operation(call("f/a")), ("a",))

    assert re.findall("</i>(.*?)</li>", whole) == ["called"]
    assert re.findall("</i>(.*?)</li>", shop_page()) == [
        "called",
        "a call failed",
        "out of order",
        "not called",
    ]


def test_figures_on_cards() -> None:
    """A card says how often its step was called and failed, and how long it took."""
    words = Page(shop_page()).words

    for text in (
        "2 calls · 1 failed · 506 ms",
        "failed · 179 ms",
        "731 ms",
        "2 calls · 1.0 ms",
        "no end",
    ):
        assert text in words


def test_logs_only_on_request() -> None:
    """Other lines are on the page with --logs alone."""
    without, page = shop_page(), shop_page(with_logs=True)

    assert "card refused" not in without
    assert "queue is long" not in without
    assert "WARNING shop: card refused" in rows_of(page)[7]
    assert "10:15:02.923 INFO broker: queue is long" in page


@pytest.mark.parametrize(
    ("start", "end", "bar"),
    [
        (20, 60, '<rect class="slate" x="20.00%" y="5" width="40.00%"'),
        (60, 20, '<rect class="slate" x="20.00%" y="5" width="40.00%"'),
        (100, 100, '<rect class="slate" x="99.00%" y="5" width="1.00%"'),
        (20, None, '<rect class="slate" x="20.00%" y="5" width="2.00%"'),
        (100, None, '<rect class="slate" x="98.00%" y="5" width="2.00%"'),
        (None, 60, '<rect class="slate" x="58.00%" y="5" width="2.00%"'),
        (None, 0, '<rect class="slate" x="0.00%" y="5" width="2.00%"'),
        (None, None, '<td class="when"></td>'),
    ],
)
def test_bars(start: float | None, end: float | None, bar: str) -> None:
    """A bar is where the call was; an end that is not known is a question mark."""
    page = page_of(operation(call("f/a", 0, 100, call("f/b", start, end))))
    row = re.findall(r"<tr class=.*?</tr>", page)[1]

    assert bar in row
    assert (">?<" in row) == ((start is None) != (end is None))


def test_a_failed_operation() -> None:
    """Its title says how it failed; the card is red, too."""
    failed = call("f/a", outcome="error", error_type="KeyError")
    page = page_of(operation(failed), ("a", "b"))

    assert '<h1 dir="auto">f/a <span class="mark bad">error: KeyError</span>' in page
    assert '<rect class="wrong"' in page
    assert ".node:is(#step-a) {" in page


def test_broken_order_is_beside_the_outcome() -> None:
    """An operation without a failure may have broken the order."""
    (heading,) = re.findall("<h1.*?</h1>", shop_page())

    assert Page(heading).words == [
        "orders/receive ",
        "no end of shipping/parcel (shipping)",
        " ",
        "out of order",
    ]


def test_a_failed_task() -> None:
    """Its title is red, too, although the request was ok."""
    sent = call("f/b", 2, 3, sent_at_us=BEGIN_US, outcome="error", error_type="OSError")
    page = page_of(operation(call("f/a", 0, 1, sent)))

    assert '<span class="mark bad">error: OSError in f/b</span>' in page


def test_other_outcomes() -> None:
    """They are neither good nor bad."""
    page = page_of(operation(call("f/a", outcome="cancelled")))

    assert '<span class="mark ">cancelled</span>' in page


def test_without_declarations() -> None:
    """The rows are all there is, and the header says why."""
    shown = operation(call("orders/receive"))
    page = as_page(shown, Shown([shown], without_order="no declaration was found"))

    assert "<aside" not in page
    assert "unknown, because no declaration was found" in page
    assert rows_of(page) == ["orders/ receive 1.0 ms"]


def test_a_step_that_is_not_declared() -> None:
    """It has a row, and no card."""
    shown = operation(call("f/a", 0, 3, call("f/old", 1, 2), call("f/a", 1, 2)))
    rows = re.findall(r'<tr class="row".*?>', page_of(shown, ("a",)))

    assert rows == [
        '<tr class="row" data-card="step-a">',
        '<tr class="row">',
        '<tr class="row" data-card="step-a">',
    ]


def test_an_operation_without_calls() -> None:
    """Lines alone make a page, too."""
    page = page_of(Operation("4711", lines=[line(1, "alone")]))

    assert '<h1 dir="auto">No call </h1>' in page
    assert rows_of(page) == []


def test_deep_calls() -> None:
    """Below some depth, rows say how deep they are."""
    deepest = call("f/s", 0, 1)
    for _ in range(1_000):
        deepest = call("f/s", 0, 1, deepest)
    rows = rows_of(page_of(operation(deepest)))

    assert rows[16] == "f/ s 1.0 ms"
    assert rows[17] == "[17]  f/ s 1.0 ms"
    assert rows[1000] == "[1000]  f/ s 1.0 ms"


def test_many_calls() -> None:
    """Calls that look the same are one row; of the others, 10,000 are shown."""
    alike = page_of(operation(call("f/a", 0, 9, *(call("f/b") for _ in range(99)))))
    calls = [call("f/b", service=f"s{n}") for n in range(10_004)]
    many = rows_of(page_of(operation(call("f/a", 0, 9, *calls))))

    assert rows_of(alike)[1:] == ["f/ b   × 99, p50 1.0 ms, max 1.0 ms 1.0 ms"]
    assert len(many) == 10_001
    assert many[-1] == "… and 5 more calls"


def test_hostile_text() -> None:
    """Names, services, errors, doubts and lines are words, wherever they come from."""
    one = call(f"{HOSTILE}/{HOSTILE}", service=HOSTILE, doubts=[HOSTILE])
    one.flow, one.step, one.outcome, one.error_type = HOSTILE, HOSTILE, "error", HOSTILE
    one.lines = [line(0, HOSTILE, logger=HOSTILE)]
    shown = operation(one, root_id=HOSTILE, gaps=[HOSTILE], lines=[line(1, HOSTILE)])
    flows = [flow_of(HOSTILE, {HOSTILE: None})]
    found = Page(as_page(shown, Shown([shown], {}, HOSTILE, flows, with_logs=True)))

    assert [tag for tag, _ in found.elements].count("script") == 1
    assert not any("onload" in given for _, given in found.elements)
    assert set(found.inside) == {"style", "script"}
    assert "\x00" not in "".join(found.words)


def test_the_policy() -> None:
    """Nothing is loaded, and no element has a style of its own."""
    found = Page(shop_page(with_logs=True))
    (policy,) = [
        given["content"]
        for _, given in found.elements
        if given.get("http-equiv") == "Content-Security-Policy"
    ]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not any("style" in given for _, given in found.elements)
    assert not {"link", "img", "iframe"} & {tag for tag, _ in found.elements}


def test_the_same_bytes() -> None:
    """The same operation gives the same page."""
    page = shop_page(with_logs=True)
    renamed = re.compile("5f0c11d29ab3e477-[0-9]+")

    assert renamed.sub("", page) == renamed.sub("", shop_page(with_logs=True))
