"""Warn about a drawing at the line outside penstock that asked for it."""

from __future__ import annotations

import sys
import warnings


def warn_caller(message: str) -> None:
    """Warn, with the location of the nearest caller outside penstock."""
    frame, level = sys._getframe(1), 2  # noqa: SLF001  # as warnings itself does
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("penstock."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
