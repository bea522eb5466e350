"""Figures over the picture of flows."""

from __future__ import annotations

import re

import pytest

from penstock.runs.figures import StepFigures
from penstock.runs.output.facts import percent
from penstock.runs.output.figures_picture import figures_as_svg
from tests.support.flow_values import flow_of

ORDERS = flow_of("orders", {"receive": None, "charge": "receive", "ship": "charge"})


def figures(step: str, p95_ms: float, calls: int = 100, errors: int = 0) -> StepFigures:
    """Return the figures of a step of the flow."""
    quantiles = (p95_ms / 2, p95_ms, p95_ms * 2)
    return StepFigures("orders", step, "shop", calls, errors, 0, quantiles, 1.0)


def card(svg: str, step: str) -> tuple[list[str], list[str]]:
    """Return the words on a card, and its rectangles."""
    (found,) = re.findall(rf'<g id="step-{step}".*?</g>(?=<g id|</g>)', svg)
    return re.findall("<text.*?>(.*?)</text>", found), re.findall("<rect.*?>", found)


def test_heat() -> None:
    """A card has the p95, the errors, and a bar as long as its share of the highest."""
    found = [figures("receive", 800), figures("charge", 200, errors=7)]
    svg = figures_as_svg(found, [ORDERS])

    words, bars = card(svg, "receive")
    assert words == ["receive", "p95 800 ms"]
    assert 'class="heat-4"' in bars[-1]
    words, bars = card(svg, "charge")
    assert words == ["charge", "p95 200 ms · 7 % errors"]
    assert 'class="heat-1"' in bars[-1]
    assert card(svg, "ship")[0] == ["ship"]


def test_several_services() -> None:
    """The slowest counts, and the errors of all."""
    other = StepFigures("orders", "charge", "till", 100, 2, 100, (), 0.0)
    found = [other, figures("charge", 20, 100, 2), figures("charge", 10)]
    svg = figures_as_svg(found, [ORDERS])

    assert card(svg, "charge")[0] == ["charge", "p95 20.0 ms · 1.3 % errors"]


def test_without_an_end() -> None:
    """A step of which no call has ended has no bar."""
    open_call = StepFigures("orders", "charge", "shop", 3, 0, 3, (), 0.0)
    words, bars = card(figures_as_svg([open_call], [ORDERS]), "charge")

    assert words == ["charge", "no end"]
    assert "heat" not in "".join(bars)


def test_only_flows_with_figures() -> None:
    """Other flows are not drawn; without any figures there is no flow."""
    bills = flow_of("bills", {"open": None})

    assert "step-open" not in figures_as_svg([figures("ship", 1)], [ORDERS, bills])
    assert "No flow" in figures_as_svg([], [ORDERS])


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0 %"),
        (0.00093, "0.093 %"),
        (0.014, "1.4 %"),
        (0.0999, "10 %"),
        (0.5, "50 %"),
        (2.3, "230 %"),
    ],
)
def test_percent(share: float, words: str) -> None:
    """Two digits say something."""
    assert percent(share) == words
