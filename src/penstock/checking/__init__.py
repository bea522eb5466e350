"""Check declared flows against their source code, without running them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .findings import Finding
    from .pipeline import CheckResult, check_project

__all__ = ["CheckResult", "Finding", "check_project"]

# A Django project imports parts of this package at every start, and seldom the rest.
_COLD = {"CheckResult": "pipeline", "Finding": "findings", "check_project": "pipeline"}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _COLD:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415  # see _COLD

    value: object = getattr(import_module(f"{__name__}.{_COLD[name]}"), name)
    globals()[name] = value
    return value
