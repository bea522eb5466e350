"""Where a call by string or by registry ends what can be read."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from penstock._project.shown import shown_path
from penstock.checking.project.functions_and_classes import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock.checking.project.functions_and_classes import Function

__all__ = ["dispatches"]

_BY_STRING = {
    "enqueue_job",
    "import_string",
    "import_module",
    "get_class",
    "send_task",
    "load_object",
    "__import__",
}
_PROCESS = re.compile(r"subprocess\.\w+$|Popen$|create_subprocess_\w+$")
_PYTHON = re.compile(r"python|manage[._]py|sys\.executable")


def dispatches(functions: Iterable[Function]) -> list[str]:
    """Return each place where a string or a registry decides what is called."""
    return [
        f"{shown_path(one.module.path)}:{line}: {one.qualname} {what}"
        for one in functions
        for line, what in _in(one)
    ]


def _in(function: Function) -> Iterator[tuple[int, str]]:
    for node in function.own_nodes():
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = last_name(called)
        if isinstance(called, ast.Subscript) and not _is_generic(called):
            yield node.lineno, f"calls what {ast.unparse(called)} holds"
        elif name in _BY_STRING:
            yield node.lineno, f"finds what it calls by name: {name}()"
        elif _PROCESS.search(ast.unparse(called)) and _PYTHON.search(_text(node)):
            yield node.lineno, f"starts another Python process: {name}()"
        elif isinstance(called, ast.Call) and last_name(called.func) == "getattr":
            yield node.lineno, "calls an attribute that it looks up by name"
        elif name == "send_robust" or (
            name == "send" and any(one.arg == "sender" for one in node.keywords)
        ):
            yield (
                node.lineno,
                f"sends the signal {ast.unparse(called)[: -len(name) - 1]}",
            )


def _text(call: ast.Call) -> str:
    return " ".join(map(ast.unparse, call.args)).lower()


def _is_generic(called: ast.Subscript) -> bool:
    """Return whether it looks like a class with its parameters: ``Page[Order]``."""
    name = last_name(called.value)
    return name[:1].isupper() and not name.isupper()
