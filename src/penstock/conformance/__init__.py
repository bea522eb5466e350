"""Check runs against the declared order while they happen."""

from __future__ import annotations

from .files import write_at_exit
from .judge import process_judge
from .report import ConformanceReport, conformance_report

__all__ = ["ConformanceReport", "conformance_report", "switch_on"]


def switch_on(mode: str) -> None:
    """Judge every call from now on, and write the report when the process ends."""
    process_judge.switch_on(mode)
    write_at_exit(process_judge)
