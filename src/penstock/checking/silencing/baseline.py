"""What was wrong already, so that an old project can start today."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penstock._platform.file import write_file
from penstock.checking.findings import Finding, Place
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["read_baseline", "without_known", "write_baseline"]

_VERSION = 1
_KEYS = ("code", "flow", "step", "edge")
_Entry = tuple[str, str, str, str]


def entry_of(finding: Finding) -> _Entry:
    """Return what a baseline says of a finding: exact names, and no line."""
    return (finding.code, finding.flow, finding.step, " → ".join(finding.edge))


def read_baseline(path: Path) -> dict[_Entry, int]:
    """Return the entries of a baseline, each with its line.

    Raises:
        ConfigurationError: The file cannot be read or is no baseline.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
        items = data["findings"]
        entries = [tuple(item[key] for key in _KEYS) for item in items]
        if data["penstock-baseline"] != _VERSION or not _are_texts(entries):
            raise ValueError  # noqa: TRY301  # one message for all
    except FileNotFoundError:
        msg = f"there is no baseline {str(path)!r}. Write one: --update-baseline"
        raise ConfigurationError(msg) from None
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{str(path)!r} is no baseline. Write it anew: --update-baseline"
        raise ConfigurationError(msg) from None
    first = text[: text.find('"findings"')].count("\n") + 2
    return {(a, b, c, d): first + at for at, (a, b, c, d) in enumerate(entries)}


def _are_texts(entries: Iterable[tuple[object, ...]]) -> bool:
    return all(isinstance(one, str) for entry in entries for one in entry)


def write_baseline(path: Path, findings: Iterable[Finding]) -> int:
    """Write down the errors and warnings among *findings*; return how many.

    Raises:
        RenderError: The file cannot be written.
    """
    entries = sorted({entry_of(f) for f in findings if _counts(f)})
    lines = [
        json.dumps(dict(zip(_KEYS, entry, strict=True)), ensure_ascii=False)
        for entry in entries
    ]
    body = ",\n".join(f"  {line}" for line in lines)
    text = f'{{"penstock-baseline": {_VERSION}, "findings": [\n{body}\n]}}\n'
    write_file(path, text.encode())
    return len(entries)


def without_known(findings: Iterable[Finding], path: Path) -> tuple[list[Finding], int]:
    """Leave out what the baseline has; add a finding for each entry that is fixed.

    Returns:
        What is left, and how many the baseline had.

    Raises:
        ConfigurationError: The file cannot be read or is no baseline.
    """
    entries = read_baseline(path)
    findings = list(findings)
    found = {entry_of(finding) for finding in findings}
    kept = [f for f in findings if entry_of(f) not in entries]
    stale = [
        Finding(
            "PEN902",
            f"{code} {edge} is fixed; take it out of the baseline: --update-baseline",
            Place(str(path.absolute()), line),
            flow,
            step,
            edge=(code, edge),
        )
        for (code, flow, step, edge), line in entries.items()
        if (code, flow, step, edge) not in found
    ]
    return [*kept, *stale], len(findings) - len(kept)


def _counts(finding: Finding) -> bool:
    return finding.level != "info" and not finding.code.startswith("PEN9")
