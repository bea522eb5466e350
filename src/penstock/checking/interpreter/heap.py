"""What attributes of objects, classes and modules are set to anywhere in the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import NOTHING

if TYPE_CHECKING:
    from .values import Values

__all__ = ["Heap"]


class Heap:
    """Attributes, by what they belong to and by their name.

    Attributes:
        has_grown: Whether something was added since this was last set to False.
    """

    def __init__(self) -> None:
        self.has_grown: bool = False
        self._attributes: dict[object, dict[str, Values]] = {}
        self._names: set[str] = set()

    def add(self, holder: object, name: str, values: Values) -> None:
        """Record that the attribute may be one of *values*."""
        old = self.get(holder, name)
        if not values <= old:
            self._attributes.setdefault(holder, {})[name] = old | values
            self._names.add(name)
            self.has_grown = True

    def get(self, holder: object, name: str) -> Values:
        """Return what the attribute may be."""
        return self._attributes.get(holder, _EMPTY).get(name, NOTHING)

    def __contains__(self, name: str) -> bool:
        """Return whether anything has an attribute of that name."""
        return name in self._names


_EMPTY: dict[str, Values] = {}
