"""A baseline: the findings that a project had when it began to check its flows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penstock._platform.file import write_file
from penstock._platform.json_fields import JsonError, parse_json
from penstock.checking.findings import Finding, Place
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_VERSION = 1
_KEYS = ("code", "flow", "step", "edge")
_Entry = tuple[str, str, str, str]


def _entry_of(finding: Finding) -> _Entry:
    """Return the baseline entry of a finding: exact names, but no line."""
    return (finding.code, finding.flow, finding.step, " → ".join(finding.edge))


def _read(path: Path) -> dict[_Entry, int]:
    """Return the entries of a baseline, each with its line.

    Raises:
        ConfigurationError: The file cannot be read, or is not a baseline.
    """
    try:
        data = path.read_bytes()
        document = parse_json(data)
        if document.number("penstock-baseline") != _VERSION:
            problem = f"'penstock-baseline' should be {_VERSION}"
            raise JsonError(problem)  # noqa: TRY301  # one message for all
        entries: list[_Entry] = [
            (item.text("code"), item.text("flow"), item.text("step"), item.text("edge"))
            for item in document.objects("findings")
        ]
    except FileNotFoundError:
        msg = f"there is no baseline {str(path)!r}. Write one: --update-baseline"
        raise ConfigurationError(msg) from None
    except (OSError, JsonError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        msg = f"{str(path)!r} is not a baseline: {reason}. Write a new one: "
        msg += "--update-baseline"
        raise ConfigurationError(msg) from None
    first = data[: data.find(b'"findings"')].count(b"\n") + 2
    return {entry: first + at for at, entry in enumerate(entries)}


def write_baseline(path: Path, findings: Iterable[Finding]) -> int:
    """Write the errors and warnings among *findings* to *path*; return how many.

    Raises:
        RenderError: The file cannot be written.
    """
    entries = sorted(
        {
            _entry_of(finding)
            for finding in findings
            if finding.level != "info" and not finding.code.startswith("PEN9")
        }
    )
    lines = [
        json.dumps(dict(zip(_KEYS, entry, strict=True)), ensure_ascii=False)
        for entry in entries
    ]
    body = ",\n".join(f"  {line}" for line in lines)
    text = f'{{"penstock-baseline": {_VERSION}, "findings": [\n{body}\n]}}\n'
    write_file(path, text.encode())
    return len(entries)


def without_known(findings: Iterable[Finding], path: Path) -> tuple[list[Finding], int]:
    """Remove the findings in the baseline; add one for each entry that is fixed.

    Returns:
        The remaining findings, and how many were removed.

    Raises:
        ConfigurationError: The file cannot be read, or is not a baseline.
    """
    entries = _read(path)
    findings = list(findings)
    found = {_entry_of(finding) for finding in findings}
    kept = [f for f in findings if _entry_of(f) not in entries]
    stale = [
        Finding(
            "PEN902",
            f"{code} {edge} is fixed. Remove it from the baseline: --update-baseline",
            Place(str(path.absolute()), line),
            flow,
            step,
            edge=(code, edge),
        )
        for (code, flow, step, edge), line in entries.items()
        if (code, flow, step, edge) not in found
    ]
    return [*kept, *stale], len(findings) - len(kept)
