"""Findings as text: for people, editors, programs and pull requests."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from penstock._project.shown import shown_path
from penstock.checking.findings import CODES
from penstock.checking.text import as_text, headline, shown_place
from penstock.errors import plain

from .places import place_here, repository_path
from .sarif import sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.checking.findings import Finding
    from penstock.checking.pipeline import CheckResult
    from penstock.checking.text import Paint


def full(result: CheckResult, paint: Paint) -> str:
    """Return each finding with what is declared and found, and a summary."""
    return as_text(result.findings, result.flows, result.silenced, paint)


def concise(result: CheckResult, paint: Paint) -> str:
    """Return one line per finding, in the form that editors parse."""
    return "\n".join(headline(finding, paint) for finding in result.findings)


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


def _annotation(finding: Finding, flows: Sequence[FlowInfo]) -> str:
    kind = {"error": "error", "warning": "warning", "info": "notice"}[finding.level]
    title = _escaped(f"{finding.code} {finding.label}".strip(), ",:")
    message = finding.message
    if finding.fix:
        message += f" (fix: {finding.fix})"
    place = place_here(finding, flows)
    if place != finding.place:
        message += f" (found at {shown_place(finding.place)} of the other service)"
    where = ""
    if place is not None:
        where = f"file={_escaped(repository_path(place.path), ',:')},line={place.line},"
    return f"::{kind} {where}title={title}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    text = plain(text)
    for char in f"%{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text
