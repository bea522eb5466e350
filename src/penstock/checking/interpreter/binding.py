"""Which parameter gets which argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import NOTHING, Foreign

if TYPE_CHECKING:
    from .values import Func, Values

    Given = list[tuple[str | None, Values]]
    """Arguments by keyword: None for the next place, ``""`` for ``**named``."""

    Arguments = tuple[tuple[str, Values], ...]
    """What is known about parameters."""

__all__ = ["bound"]


def bound(func: Func, given: Given) -> Arguments:
    """Return what the parameters of *func* are, as far as that may be called."""
    spec = func.function.node.args
    places = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
    if func.receiver is not None and "staticmethod" not in func.function.decorators:
        places = places[1:]
    named = [*places, *(arg.arg for arg in spec.kwonlyargs)]
    many = [spec.vararg.arg] if spec.vararg else []
    others = [spec.kwarg.arg] if spec.kwarg else []
    found: dict[str, Values] = {}
    left = places
    for name, values in given:
        if name is None:
            targets, left = (left[:1] or many), left[1:]
        else:
            targets = [name] if name in named else others
        kept = frozenset(one for one in values if not isinstance(one, Foreign))
        for target in targets if kept else ():
            found[target] = found.get(target, NOTHING) | kept
    return tuple(sorted(found.items()))
