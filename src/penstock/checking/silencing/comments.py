"""Comments that ignore a finding: ``# penstock: ignore[PEN101]``."""

from __future__ import annotations

import re
import tokenize
from typing import TYPE_CHECKING

from penstock.checking.findings import CODES, Finding, Place

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_COMMENT = re.compile(r"#\s*penstock:\s*ignore(?:\[(?P<codes>[^\]]*)\])?")
_Comments = dict[Place, set[str]]


def without_ignored(
    findings: Iterable[Finding], paths: Iterable[str], imported: Container[str]
) -> tuple[list[Finding], int]:
    """Remove the findings that comments ignore; add one for each unused comment.

    A comment applies on the line of the finding, and on that of the declaration.

    Args:
        findings: What was found.
        paths: The files to read comments from.
        imported: The files whose flows were checked, so that comments may be unused.

    Returns:
        The remaining findings, and how many were removed.
    """
    comments: _Comments = {}
    for path in paths:
        comments |= _comments(path)
    used: set[tuple[Place, str]] = set()
    kept: list[Finding] = []
    ignored = 0
    for finding in findings:
        places = [finding.place, finding.declared_at]
        hits = [p for p in places if p and finding.code in comments.get(p, ())]
        used |= {(place, finding.code) for place in hits}
        ignored += bool(hits)
        if not hits:
            kept.append(finding)
    for place, codes in comments.items():
        if place.path not in imported:
            continue
        kept += [_unused(place, c) for c in sorted(codes) if (place, c) not in used]
    return kept, ignored


def _comments(path: str) -> _Comments:
    found: _Comments = {}
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a path that is a str
            data = file.read()
        if b"penstock:" not in data:
            return found
        lines = iter(data.splitlines(keepends=True))
        for token in tokenize.tokenize(lambda: next(lines, b"")):
            match = (
                _COMMENT.search(token.string)
                if token.type == tokenize.COMMENT
                else None
            )
            if match is not None:
                codes = match["codes"]
                wanted = {one.strip() for one in (codes or "").split(",")} - {""}
                found[Place(path, token.start[0])] = wanted or {"without a code"}
    except (OSError, SyntaxError, tokenize.TokenError):
        pass  # PEN000 reports a broken file
    return found


def _unused(place: Place, code: str) -> Finding:
    if code in CODES:
        what = f"{code} is ignored here, but nothing here has that code"
    elif code == "without a code":
        what = "a comment must name what it ignores: # penstock: ignore[PEN101]"
    else:
        what = f"there is no code {code!r} to ignore"
    return Finding("PEN901", what, place, edge=(code,))
