"""Findings as text: for people, for editors, for programs, for a pull request."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.checking.findings import CODES

from .sarif import sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.checking.findings import Finding, Place

__all__ = ["FORMATS", "Report", "github", "statistics"]

_GAP = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be told.

    Attributes:
        findings: In order.
        flows: How many flows were checked.
        steps: How many steps these have.
        silenced: How many findings each reason kept back.
        shown: Makes a path short.
        paint: Gives a text the colour of a level, or ``"bold"``.
    """

    findings: Sequence[Finding]
    flows: int
    steps: int
    silenced: dict[str, int]
    shown: Callable[[str], str]
    paint: Callable[[str, str], str] = lambda text, _style: text


def full(report: Report) -> str:
    """Return each finding with what is declared and found, and a line that counts."""
    blocks = ["\n".join(_block(finding, report)) for finding in report.findings]
    return "\n".join([*blocks, _summary(report)])


def concise(report: Report) -> str:
    """Return one line per finding, as editors know it."""
    return "\n".join(_headline(finding, report) for finding in report.findings)


def as_json(report: Report) -> str:
    """Return a list with one object per finding."""
    return json.dumps(
        [
            {
                "code": finding.code,
                "level": finding.level,
                "path": report.shown(finding.place.path),
                "line": finding.place.line,
                "flow": finding.flow,
                "step": finding.step,
                "message": finding.message,
                "suggestion": finding.suggestion,
            }
            for finding in report.findings
        ],
        indent=2,
        ensure_ascii=False,
    )


def github(report: Report) -> str:
    """Return the commands by which a GitHub job marks lines of a change."""
    return "\n".join(_annotation(finding, report) for finding in report.findings)


def as_sarif(report: Report) -> str:
    """Return a SARIF log, which code scanning reads."""
    return json.dumps(sarif(report.findings, report.shown), indent=2)


FORMATS: dict[str, Callable[[Report], str]] = {
    "full": full,
    "concise": concise,
    "json": as_json,
    "github": github,
    "sarif": as_sarif,
}


def counted(findings: Iterable[Finding]) -> list[str]:
    """Return how many findings there are of each level, as ``2 errors``."""
    levels = Counter(finding.level for finding in findings)
    return [
        _many(levels[level], level)
        for level in ("error", "warning", "info")
        if levels[level]
    ]


def statistics(findings: Iterable[Finding]) -> list[str]:
    """Return how many findings there are of each code, the commonest first."""
    codes = Counter(finding.code for finding in findings)
    return [
        f"{count:>6}  {code}  {CODES[code].meaning}"
        for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    ]


def _summary(report: Report) -> str:
    found = ", ".join(counted(report.findings)) or "nothing found"
    where = f"{_many(report.flows, 'flow')}, {_many(report.steps, 'step')}"
    kept = [f"{count} {why}" for why, count in report.silenced.items() if count]
    more = f" ({', '.join(kept)})" if kept else ""
    return f"{found} in {where}{more}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _headline(finding: Finding, report: Report) -> str:
    place = report.paint(_place(finding.place, report), "bold")
    code = report.paint(finding.code, finding.level)
    label = f"{plain(finding.label)}: " if finding.label else ""
    return f"{place}: {code} {label}{plain(finding.message)}"


def _block(finding: Finding, report: Report) -> list[str]:
    rows = [
        ("declared", finding.declared, finding.declared_at),
        ("found", finding.found, finding.place),
        ("fix", finding.suggestion, None),
    ]
    told = [(name, plain(text), at) for name, text, at in rows if text]
    width = max((len(text) for _, text, at in told if at), default=0) + _GAP
    lines = [_headline(finding, report)]
    for name, text, at in told:
        place = _place(at, report) if at else ""
        lines.append(f"  {name:<8}  {text:<{width if at else 0}}{place}")
    return lines


def _place(place: Place, report: Report) -> str:
    return plain(f"{report.shown(place.path)}:{place.line}")


def _annotation(finding: Finding, report: Report) -> str:
    kind = {"error": "error", "warning": "warning", "info": "notice"}[finding.level]
    message = finding.message
    if finding.suggestion:
        message += f" (fix: {finding.suggestion})"
    path = _escaped(report.shown(finding.place.path), ",:")
    title = _escaped(plain(f"{finding.code} {finding.label}".strip()), ",:")
    return (
        f"::{kind} file={path},line={finding.place.line},title={title}"
        f"::{_escaped(message)}"
    )


def _escaped(text: str, more: str = "") -> str:
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def plain(text: str) -> str:
    """Return *text* on one line, with what a terminal would obey made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
