"""What happened in runs, held against what was declared."""

from __future__ import annotations

from .files import write_at_exit
from .judge import judge
from .report import ConformanceReport, conformance_report

__all__ = ["ConformanceReport", "conformance_report", "switch_on"]


def switch_on(mode: str) -> None:
    """Judge every call from now on, and report it when the process ends."""
    judge.switch_on(mode)
    write_at_exit(judge)
