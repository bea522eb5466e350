"""Names for steps and flows, from those of functions and classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .entries import HANDLERS, HOOKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from penstock.checking.project.functions_and_classes import Function, Klass

    from .reading import Reading

__all__ = ["flow_name", "step_names"]

_VAGUE = {"flows", "service", "services", "tasks", "views", "models", "utils", "api"}


def step_names(
    functions: Sequence[Function],
    taken: Collection[str] = (),
    several: Mapping[Function, Function] | None = None,
) -> Mapping[Function, str]:
    """Return a name for each step, unique in the flow.

    Those of *several* stand for methods that override the one given there.
    """
    several = several or {}
    found: dict[Function, str] = {}
    used = set(taken)
    plain = [_plain(one, is_one=one not in several) for one in functions]
    for function, name in zip(functions, plain, strict=True):
        is_taken = plain.count(name) > 1 or name in used
        home = _home(several.get(function, function))
        base = f"{home}_{name}" if is_taken else name
        unique, number = base, 2
        while unique in used:
            unique, number = f"{base}_{number}", number + 1
        used.add(unique)
        found[function] = unique
    return found


def flow_name(reading: Reading) -> str:
    """Return the name of the flow that begins in the entry."""
    if reading.klass is None or reading.entry.name not in HANDLERS + HOOKS:
        return re.sub(r"(?<=.)_(flow|view|task|api)$", "", _plain(reading.entry))
    return _class_name(reading.klass)


def _class_name(klass: Klass) -> str:
    if klass.name == "Command":  # of Django
        return klass.module.name.rpartition(".")[2]
    name = _snake(klass.name)
    return re.sub(r"(?<=.)_(view|view_set|viewset|api|command)$", "", name)


def _home(function: Function) -> str:
    """Return what tells a function of a common name apart: its class or package."""
    if function.klass is not None:
        return _snake(function.klass.name)
    parts = function.module.name.split(".")
    return next((one for one in reversed(parts) if one not in _VAGUE), parts[-1])


def _plain(function: Function, *, is_one: bool = True) -> str:
    """Return its own name; that of a method in one word has that of its class, too."""
    name = function.name.strip("_")
    if function.klass is not None and is_one and "_" not in name:
        return f"{_class_name(function.klass)}_{name}"
    return name or function.name


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
