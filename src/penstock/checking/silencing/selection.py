"""Which findings the user asks for, by code and by file."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from penstock._project.shown import shown_path
from penstock.checking.findings import CODES
from penstock.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.checking.findings import Finding

__all__ = ["Selection", "without_unselected"]


class Selection(NamedTuple):
    """What to report.

    Attributes:
        select: Beginnings of codes to report; empty for all.
        ignore: Beginnings of codes not to report.
        exclude: Files and folders whose findings are not reported, or patterns such
            as ``shop/legacy/*``.
    """

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def refuse_unknown(self) -> None:
        """Check that there are codes with these beginnings.

        Raises:
            ConfigurationError: There are none with one of them.
        """
        for begin in (*self.select, *self.ignore):
            if not begin or not any(code.startswith(begin) for code in CODES):
                hint = did_you_mean(begin, CODES)
                msg = f"no finding has the code {begin!r}.{hint} To list them: "
                msg += "penstock explain"
                raise ConfigurationError(msg)


def without_unselected(
    findings: Iterable[Finding], selection: Selection
) -> tuple[list[Finding], int]:
    """Leave out what is not selected; return the rest, and how many are out."""
    findings = list(findings)
    kept = [finding for finding in findings if _is_selected(finding, selection)]
    return kept, len(findings) - len(kept)


def _is_selected(finding: Finding, selection: Selection) -> bool:
    path = PurePath(shown_path(finding.place.path)).as_posix()
    return (
        finding.code.startswith(tuple(selection.select or [""]))
        and not finding.code.startswith(tuple(selection.ignore))
        and not any(_matches(path, pattern) for pattern in selection.exclude)
    )


def _matches(path: str, pattern: str) -> bool:
    pattern = PurePath(pattern).as_posix()
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}/*")
