"""Figures of steps, and how they are compared."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any

from penstock.runs.figures import StepFigures

if TYPE_CHECKING:
    from collections.abc import Iterable

_START_US = 1_790_000_000_000_000
_HOUR_US = 3600 * 10**6


def rounded(figures: Iterable[StepFigures]) -> list[tuple[Any, ...]]:
    """Return figures whose floats do not depend on the order of a sum."""
    return [
        astuple(
            replace(
                one,
                quantiles_ms=tuple(round(ms, 6) for ms in one.quantiles_ms),
                total_ms=round(one.total_ms, 6),
                share=round(one.share, 6),
            )
        )
        for one in figures
    ]


def shop_figures() -> list[StepFigures]:
    """Return the figures of a shop, by flow, step and service."""
    times = (12.34, 101.0, 2500.0), 9.0, 0.031
    first, last = _START_US, _START_US + _HOUR_US
    return [
        StepFigures("mail", "send", "mail", 2, 0, 2, (), 0.0),
        StepFigures("orders", "charge", "till", 1200, 1, 0, *times, 0, first + 9, last),
        StepFigures(
            "orders",
            "receive",
            "shop",
            10,
            0,
            0,
            (1.0, 2.0, 3.0),
            290.0,
            1.0,
            10,
            first,
        ),
    ]
