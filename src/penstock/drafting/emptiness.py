"""Why an entry leads to nothing that may be drawn, and what to do."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from penstock._project.shown import listed
from penstock.checking.project.functions_and_classes import last_name

from .entries import qualified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.program import Program

    from .reading import Reading

__all__ = ["reason_for_nothing"]

_RECORD = "record what really runs: --from 'pytest ...'"


def reason_for_nothing(program: Program, reading: Reading, ends: Sequence[str]) -> str:
    """Return why nothing but the entry is drawn, and what to do about it."""
    entry = reading.entry
    calls = list(_calls(entry))
    if len(reading.reached) > 1:
        found = [qualified(one) for one in reading.reached if one is not entry]
        return (
            f"What {entry.name} leads to is too small to draw, or only looks something "
            f"up: {listed(found)}. Add what matters to the plan, or {_RECORD}."
        )
    if ends:
        return (
            f"What {entry.name} calls is only known at run time (see below). Name the "
            f"function that it calls as the entry, or {_RECORD}."
        )
    if not calls:
        return f"{entry.name} calls nothing. Name the function that does the work."
    handed = _handed_over(program, calls)
    if handed:
        return (
            f"{entry.name} leaves the work to a class whose methods a library calls. "
            f"Name one of them as the entry: {listed(handed)}."
        )
    names = [ast.unparse(one.func) for one in calls if last_name(one) in program.named]
    if names:
        return (
            f"{entry.name} calls {listed(names)}, and the resolver does not find which"
            " function of the project that is. Annotate the types, install ty (and "
            f"django-stubs in a Django project), or {_RECORD}."
        )
    foreign = listed([ast.unparse(one.func) for one in calls])
    return (
        f"All that {entry.name} calls is in libraries: {foreign}. Name the function "
        f"that they call back as the entry, or {_RECORD}."
    )


def _calls(function: Function) -> Iterator[ast.Call]:
    return (one for one in function.own_nodes() if isinstance(one, ast.Call))


def _handed_over(program: Program, calls: Iterable[ast.Call]) -> list[str]:
    """Return the methods of classes that are handed over: ``View.as_view()``."""
    called = (one.func for one in calls if isinstance(one.func, ast.Attribute))
    names = {last_name(one.value) for one in called}
    found = [
        f"{klass.module.name}:{klass.qualname}.{name}"
        for klass in program.classes.values()
        if klass.name in names
        for name in klass.methods
        if not name.startswith("__")
    ]
    return sorted(found, key=lambda one: ".get_" in one)  # what acts comes first
