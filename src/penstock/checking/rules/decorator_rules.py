"""Decorators below a marker that register the function without it: PEN006."""

from __future__ import annotations

import ast
from itertools import dropwhile
from typing import TYPE_CHECKING

from penstock.checking.findings import Finding, Place
from penstock.checking.project.functions_and_classes import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.steps import Steps

__all__ = ["judge_decorators"]

_MARKERS = frozenset({"entrypoint", "step"})
_REGISTERING = frozenset(
    {
        "callback",
        "command",
        "connect",
        "errorhandler",
        "exception_handler",
        "listens_for",
        "on_event",
        "receiver",
    }
)
"""Those of Django, Flask, Starlette, blinker, SQLAlchemy and Typer."""


def judge_decorators(steps: Steps) -> Iterator[Finding]:
    """Yield a finding for each decorator that keeps what stands below a marker."""
    for function, infos in steps.of.items():
        for node in _below_marker(function):
            if _registers(node):
                name = ast.unparse(node.func if isinstance(node, ast.Call) else node)
                for info in infos:
                    yield Finding(
                        "PEN006",
                        f"@{name} stands below the marker, so it registers the "
                        "function without it: what it calls is not the step. Put "
                        "the marker below it.",
                        Place(function.module.path, node.lineno),
                        info.flow,
                        info.name,
                        edge=(name,),
                    )


def _below_marker(function: Function) -> Iterator[ast.expr]:
    nodes = getattr(function.node, "decorator_list", ())
    below = dropwhile(lambda node: last_name(node) not in _MARKERS, nodes)
    return (node for node in below if last_name(node) not in _MARKERS)


def _registers(node: ast.expr) -> bool:
    """Tell whether it is known to register what it gets, or has a path for it."""
    if last_name(node) in _REGISTERING:
        return True
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    path = first.value if isinstance(first, ast.Constant) else None
    return isinstance(path, str) and path.startswith("/")
