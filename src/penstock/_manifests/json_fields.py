"""Read the fields of a JSON document, and say what is wrong with it where."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Fields", "WrongFieldError"]

T = TypeVar("T")

_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number with a fraction",
    bool: "true or false",
}


class WrongFieldError(ValueError):
    """What is wrong, and where in the document."""


class Fields:
    """One JSON object; each complaint says where in the manifest it stands."""

    def __init__(self, value: object, where: str) -> None:
        self._where = where
        self._values = _checked(value, dict, where)

    def name(self) -> str:
        """Return the one field that every object has to have."""
        name = self.text("name")
        if not name:
            problem = f"{self._where} has no name"
            raise WrongFieldError(problem)
        return name

    def text(self, key: str, default: str = "") -> str:
        return _checked(self._values.get(key, default), str, self._at(key))

    def flag(self, key: str) -> bool:
        return _checked(self._values.get(key, False), bool, self._at(key))

    def number(self, key: str) -> int:
        return _checked(self._values.get(key, 0), int, self._at(key))

    def texts(self, key: str) -> tuple[str, ...]:
        return _texts(self._values.get(key, []), self._at(key))

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        items = _checked(self._values.get(key, []), list, self._at(key))
        return tuple(
            _group(item, f"{self._at(key)}[{place}]")
            for place, item in enumerate(items)
        )

    def tables(self, key: str) -> Iterator[Fields]:
        items = _checked(self._values.get(key), list, self._at(key))
        for place, item in enumerate(items):
            yield Fields(item, f"{self._at(key)}[{place}]")

    def _at(self, key: str) -> str:
        return f"{self._where}.{key}".removeprefix("the document.")


def _group(value: object, where: str) -> tuple[str, ...]:
    names = _texts(value, where)
    if not names or "" in names:
        problem = f"{where} should hold names, and is {value}"
        raise WrongFieldError(problem)
    return names


def _texts(value: object, where: str) -> tuple[str, ...]:
    items = _checked(value, list, where)
    return tuple(
        _checked(item, str, f"{where}[{place}]") for place, item in enumerate(items)
    )


def _checked(value: object, expected: type[T], where: str) -> T:
    if type(value) is not expected:  # True is no number here
        found = _KINDS.get(type(value), "null")
        problem = f"{where} should be {_KINDS[expected]}, and is {found}"
        raise WrongFieldError(problem)
    return value
