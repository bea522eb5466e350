"""Compare figures."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.runs.figures import StepFigures


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
