"""Which parameter gets which argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import NOTHING, Foreign

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from .values import Func, Values

    Given = list[tuple[str | None, Values]]
    """Arguments, each with its keyword; None for the next place."""

    Arguments = tuple[tuple[str, Values], ...]
    """What is known of parameters; ``*1`` and ``**name`` are one each of many."""

__all__ = ["bound", "handed_on"]

_MANY = "**"


def bound(func: Func, given: Given) -> Arguments:
    """Return what the parameters of *func* are, as far as that may be called."""
    spec = func.function.node.args
    places = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
    if func.receiver is not None and "staticmethod" not in func.function.decorators:
        places = places[1:]
    named = {*places, *(arg.arg for arg in spec.kwonlyargs)}
    found: dict[str, Values] = {}
    place = 0
    for name, values in given:
        kept = frozenset(t for t in values if not isinstance(t, Foreign))
        for target in _targets(name, place, places, named, spec) if kept else ():
            found[target] = found.get(target, NOTHING) | kept
        place += name is None
    return tuple(sorted(found.items()))


def _targets(
    name: str | None,
    place: int,
    places: list[str],
    named: set[str],
    spec: ast.arguments,
) -> Iterator[str]:
    """Yield the parameter, and where there are many in one, which of them it is."""
    if name is None and place < len(places):
        yield places[place]
    elif name is None and spec.vararg is not None:
        yield from (spec.vararg.arg, f"*{place - len(places)}")
    elif name in named:
        yield str(name)
    elif name is not None and spec.kwarg is not None:
        yield from (spec.kwarg.arg, f"**{name}")


def handed_on(arguments: Arguments, stars: str) -> Given:
    """Return the arguments that ``*args`` or ``**kwargs`` hands on as it got them."""
    many = [
        (name.removeprefix(stars), values)
        for name, values in arguments
        if name.startswith(stars) and name.startswith(_MANY) == (stars == _MANY)
    ]
    if stars == _MANY:
        return list(many)
    known = {int(place): values for place, values in many}
    return [(None, known.get(n, NOTHING)) for n in range(max(known, default=-1) + 1)]
