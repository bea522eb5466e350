"""What attributes of objects, classes and modules were given anywhere in the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .values import Things

__all__ = ["Heap"]


class Heap:
    """Attributes, by what they belong to and by their name."""

    def __init__(self) -> None:
        self._attributes: dict[object, dict[str, Things]] = {}
        self._names: set[str] = set()

    def add(self, holder: object, name: str, things: Things) -> bool:
        """Note that the attribute may be one of *things*; tell whether that is new."""
        old = self.get(holder, name)
        if things <= old:
            return False
        self._attributes.setdefault(holder, {})[name] = old | things
        self._names.add(name)
        return True

    def get(self, holder: object, name: str) -> Things:
        """Return what the attribute may be."""
        return self._attributes.get(holder, _EMPTY).get(name, NOTHING)

    def anything(self, holder: object) -> Iterable[Things]:
        """Return what each attribute may be."""
        return self._attributes.get(holder, _EMPTY).values()

    def __contains__(self, name: str) -> bool:
        """Tell whether anything at all has an attribute of that name."""
        return name in self._names


_EMPTY: dict[str, Things] = {}
