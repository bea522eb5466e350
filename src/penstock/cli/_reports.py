"""Find the reports of recorded runs that a command line names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["report_files"]


def report_files(paths: Iterable[Path]) -> list[Path]:
    """Return *paths*, with the reports in those that are folders.

    Raises:
        ConfigurationError: A folder has none.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not inside:
            msg = (
                f"evidence {str(path)!r} has no report. A process leaves one there at "
                "its end, if PENSTOCK_CONFORMANCE_DIR names the folder."
            )
            raise ConfigurationError(msg)
        found += inside
    return found
