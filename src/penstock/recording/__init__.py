"""What happened in runs, held against what was declared."""

from __future__ import annotations

from ._files import write_at_exit
from ._judge import judge
from ._report import ConformanceReport, conformance_report

__all__ = ["ConformanceReport", "conformance_report", "judge", "switch_on"]


def switch_on(mode: str) -> None:
    """Judge every call from now on, and report it when the process ends."""
    judge.switch_on(mode)
    write_at_exit(judge)
