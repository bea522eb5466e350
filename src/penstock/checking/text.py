"""Findings as text for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from penstock._project.shown import counted, shown_path
from penstock.errors import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock._types import FlowInfo

    from .findings import Finding, Place

    Paint = Callable[[str, str], str]

__all__ = ["as_text", "headline", "shown_place", "unpainted"]

_GAP = 5


def unpainted(text: str, _style: str) -> str:
    """Return *text* as it is."""
    return text


def as_text(
    findings: Sequence[Finding],
    flows: Sequence[FlowInfo],
    silenced: Mapping[str, int],
    paint: Paint = unpainted,
) -> str:
    """Return each finding with what is declared and found, and a summary."""
    blocks = ["\n".join(_block(finding, paint)) for finding in findings]
    return "\n".join([*blocks, _summary(findings, flows, silenced)])


def headline(finding: Finding, paint: Paint) -> str:
    """Return where a finding is, its code and its message."""
    place = paint(shown_place(finding.place), "bold")
    code = paint(finding.code, finding.level)
    label = f"{plain(finding.label)}: " if finding.label else ""
    return f"{place}: {code} {label}{plain(finding.message)}"


def shown_place(place: Place) -> str:
    """Return *place* relative to the current folder."""
    return plain(f"{shown_path(place.path)}:{place.line}")


def _block(finding: Finding, paint: Paint) -> list[str]:
    rows = [
        ("declared", finding.declared, finding.declared_at),
        ("found", finding.found, finding.place),
        ("fix", finding.fix, None),
    ]
    shown = [(name, plain(text), at) for name, text, at in rows if text]
    width = max((len(text) for _, text, at in shown if at), default=0) + _GAP
    lines = [headline(finding, paint)]
    for name, text, at in shown:
        place = shown_place(at) if at else ""
        lines.append(f"  {name:<8}  {text:<{width if at else 0}}{place}")
    return lines


def _summary(
    findings: Sequence[Finding], flows: Sequence[FlowInfo], silenced: Mapping[str, int]
) -> str:
    steps = sum(len(flow.steps) for flow in flows)
    levels = Counter(finding.level for finding in findings)
    found = ", ".join(
        counted(levels[level], level)
        for level in ("error", "warning", "info")
        if levels[level]
    )
    kept = [f"{count} {why}" for why, count in silenced.items() if count]
    more = f" ({', '.join(kept)})" if kept else ""
    checked = f"{counted(len(flows), 'flow')}, {counted(steps, 'step')}"
    return f"{checked}: {found or 'no findings'}{more}"
