"""Short ways to write reports of runs, for tests of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["recorded"]


def recorded(
    steps: Mapping[str, int],
    edges: Mapping[tuple[str, str], int | tuple[int, int]],
    *,
    runs: int = 1,
    broken: Mapping[tuple[str, str], int] | None = None,
) -> dict[str, Any]:
    """Return one flow of a report.

    Args:
        steps: How often each was called.
        edges: How often each was seen, or that and in how many runs it was wrong.
        runs: How many runs there were.
        broken: How often a caller called a step too early.
    """
    counts = {
        edge: (count, 0) if isinstance(count, int) else count
        for edge, count in edges.items()
    }
    return {
        "runs": runs,
        "steps": dict(steps),
        "edges": [
            {
                "before": before,
                "after": after,
                "witnessed": seen,
                "contradicted": against,
                "status": "",
            }
            for (before, after), (seen, against) in counts.items()
        ],
        "violations": [
            {
                "step": step,
                "run": "1",
                "code": "R1",
                "message": f"{step} after {caller}",
                "caller": caller,
                "count": count,
            }
            for (caller, step), count in (broken or {}).items()
        ],
        "foreign": [],
    }
