"""Read JSON from outside; errors say what is wrong, and where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "an integer",
    float: "a number with a fraction",
    bool: "true or false",
}


class JsonError(ValueError):
    """A document is wrong; the message has the key, what was expected and found."""


def parse_json(data: str | bytes) -> JsonObject:
    """Return the object that a JSON document holds.

    Raises:
        JsonError: It is not JSON, not an object, or has a key twice.
    """
    try:
        return JsonObject(json.loads(data, object_pairs_hook=_unique_keys))
    except JsonError:
        raise
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as exc:  # neither JSON nor UTF-8
        problem = f"it is not JSON: {exc}"
    raise JsonError(problem)


class JsonObject:
    """One object of a document; errors name the path of the key that is wrong.

    A missing key has the empty value of its type. Unknown keys are ignored.

    Attributes:
        keys: Its keys, in the order of the document.
    """

    def __init__(self, value: object, path: str = "") -> None:
        self._path = path
        self._values = _checked(value, dict, path or "the document")
        self.keys: tuple[str, ...] = tuple(self._values)

    def name(self) -> str:
        """Return ``name``, which is required and not empty."""
        name = self.text("name")
        if not name:
            problem = f"{self._path} has no name"
            raise JsonError(problem)
        return name

    def text(self, key: str, default: str = "") -> str:
        """Return a string."""
        return _checked(self._values.get(key, default), str, self._at(key))

    def flag(self, key: str) -> bool:
        """Return true or false."""
        return _checked(self._values.get(key, False), bool, self._at(key))

    def number(self, key: str) -> int:
        """Return an integer."""
        return _checked(self._values.get(key, 0), int, self._at(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings."""
        return _texts(self._values.get(key, []), self._at(key))

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists, each with at least one string and none empty."""
        groups = []
        for at, item in enumerate(
            _checked(self._values.get(key, []), list, self._at(key))
        ):
            path = f"{self._at(key)}[{at}]"
            names = _texts(item, path)
            if not names or "" in names:
                problem = f"{path} should be a list of names, and is {item}"
                raise JsonError(problem)
            groups.append(names)
        return tuple(groups)

    def object(self, key: str) -> JsonObject:
        """Return an object, which is required."""
        return JsonObject(self._values.get(key), self._at(key))

    def values(self, key: str) -> dict[str, Any]:
        """Return an object as a plain dict."""
        return _checked(self._values.get(key, {}), dict, self._at(key))

    def objects(self, key: str) -> Iterator[JsonObject]:
        """Yield the objects of a list, which is required."""
        items = _checked(self._values.get(key), list, self._at(key))
        for at, item in enumerate(items):
            yield JsonObject(item, f"{self._at(key)}[{at}]")

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}".removeprefix(".")


def refuse_duplicates(names: Iterable[str]) -> None:
    """Check that each of *names* is there once.

    Raises:
        JsonError: One is there twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            problem = f"{name} appears twice"
            raise JsonError(problem)
        seen.add(name)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        refuse_duplicates(f"the key {key!r} of an object" for key, _ in pairs)
    return values


def _texts(value: object, path: str) -> tuple[str, ...]:
    items = _checked(value, list, path)
    return tuple(_checked(item, str, f"{path}[{at}]") for at, item in enumerate(items))


def _checked(value: object, expected: type[T], path: str) -> T:
    if type(value) is not expected:  # True is not a number here
        found = "null" if value is None else _TYPES.get(type(value), "something else")
        problem = f"{path} should be {_TYPES[expected]}, and is {found}"
        raise JsonError(problem)
    return value
