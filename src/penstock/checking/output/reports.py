"""Findings as text: for people, editors, programs and pull requests."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from penstock._project.shown import counted, shown_path
from penstock.checking.findings import CODES
from penstock.errors import plain

from .places import place_here
from .sarif import sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.checking.findings import Finding, Place
    from penstock.checking.pipeline import CheckResult

    Paint = Callable[[str, str], str]

_GAP = 5


def full(result: CheckResult, paint: Paint) -> str:
    """Return each finding with what is declared and found, and a summary."""
    blocks = ["\n".join(_block(finding, paint)) for finding in result.findings]
    return "\n".join([*blocks, _summary(result)])


def concise(result: CheckResult, paint: Paint) -> str:
    """Return one line per finding, in the form that editors parse."""
    return "\n".join(_headline(finding, paint) for finding in result.findings)


def as_json(result: CheckResult) -> str:
    """Return a list with one object per finding."""
    return json.dumps(
        [
            {
                "code": finding.code,
                "level": finding.level,
                "path": shown_path(finding.place.path),
                "line": finding.place.line,
                "flow": finding.flow,
                "step": finding.step,
                "message": finding.message,
                "suggestion": finding.suggestion,
            }
            for finding in result.findings
        ],
        indent=2,
    )


def github(result: CheckResult) -> str:
    """Return the workflow commands that mark lines of a change in a GitHub job."""
    return "\n".join(_annotation(finding, result.flows) for finding in result.findings)


def as_sarif(result: CheckResult) -> str:
    """Return a SARIF log, which code scanning reads."""
    return json.dumps(sarif(result), indent=2)


FOR_PEOPLE: dict[str, Callable[[CheckResult, Paint], str]] = {
    "full": full,
    "concise": concise,
}
"""Formats with colours: ``Paint`` applies that of a level, or ``"bold"``."""

FOR_PROGRAMS: dict[str, Callable[[CheckResult], str]] = {
    "json": as_json,
    "github": github,
    "sarif": as_sarif,
}


def statistics(findings: Iterable[Finding]) -> list[str]:
    """Return how many findings there are of each code, the most frequent first."""
    codes = Counter(finding.code for finding in findings)
    return [
        f"{count:>6}  {code}  {CODES[code].meaning}"
        for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    ]


def _summary(result: CheckResult) -> str:
    steps = sum(len(flow.steps) for flow in result.flows)
    levels = Counter(finding.level for finding in result.findings)
    found = ", ".join(
        counted(levels[level], level)
        for level in ("error", "warning", "info")
        if levels[level]
    )
    kept = [f"{count} {why}" for why, count in result.silenced.items() if count]
    more = f" ({', '.join(kept)})" if kept else ""
    checked = f"{counted(len(result.flows), 'flow')}, {counted(steps, 'step')}"
    return f"{checked}: {found or 'no findings'}{more}"


def _headline(finding: Finding, paint: Paint) -> str:
    place = paint(_place(finding.place), "bold")
    code = paint(finding.code, finding.level)
    label = f"{plain(finding.label)}: " if finding.label else ""
    return f"{place}: {code} {label}{plain(finding.message)}"


def _block(finding: Finding, paint: Paint) -> list[str]:
    rows = [
        ("declared", finding.declared, finding.declared_at),
        ("found", finding.found, finding.place),
        ("fix", finding.suggestion, None),
    ]
    shown = [(name, plain(text), at) for name, text, at in rows if text]
    width = max((len(text) for _, text, at in shown if at), default=0) + _GAP
    lines = [_headline(finding, paint)]
    for name, text, at in shown:
        place = _place(at) if at else ""
        lines.append(f"  {name:<8}  {text:<{width if at else 0}}{place}")
    return lines


def _place(place: Place) -> str:
    return plain(f"{shown_path(place.path)}:{place.line}")


def _annotation(finding: Finding, flows: Sequence[FlowInfo]) -> str:
    kind = {"error": "error", "warning": "warning", "info": "notice"}[finding.level]
    title = _escaped(f"{finding.code} {finding.label}".strip(), ",:")
    message = finding.message
    if finding.suggestion:
        message += f" (fix: {finding.suggestion})"
    place = place_here(finding, flows)
    if place != finding.place:
        message += f" (found at {_place(finding.place)} of the other service)"
    where = ""
    if place is not None:
        where = f"file={_escaped(shown_path(place.path), ',:')},line={place.line},"
    return f"::{kind} {where}title={title}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    text = plain(text)
    for char in f"%{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text
