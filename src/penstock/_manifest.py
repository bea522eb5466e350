"""Read and write manifests: a service's flows as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ._graph import build_graph
from ._types import FlowInfo, StepInfo
from .errors import ManifestError
from .renderers.json import MANIFEST_VERSION, render_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

__all__ = ["dump_manifest", "load_manifest", "parse_manifest"]

T = TypeVar("T")

_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number with a fraction",
    bool: "true or false",
}


def dump_manifest(flows: Iterable[FlowInfo], known: Iterable[FlowInfo] = ()) -> str:
    """Return the manifest of *flows*, the same bytes on every machine.

    Args:
        flows: What to write down.
        known: Whatever else there is, so that predecessors are found.

    Raises:
        FlowDefinitionError: A predecessor that this service should have names
            nothing.
    """
    graph = build_graph(flows, known)
    return render_json(graph, detail=True, direction="TD") + "\n"


def load_manifest(path: str | PathLike[str]) -> tuple[FlowInfo, ...]:
    """Return the flows of the manifest at *path*.

    Raises:
        ManifestError: There is no such file, or it is not a manifest.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        msg = f"manifest {str(path)!r} cannot be read: {exc.strerror or exc}."
        raise ManifestError(msg) from exc
    return parse_manifest(data, source=str(path))


def parse_manifest(data: str | bytes, *, source: str) -> tuple[FlowInfo, ...]:
    """Return the flows of a manifest.

    Args:
        data: The manifest, as text or UTF-8.
        source: Where it comes from, for the message.

    Raises:
        ManifestError: It is not a manifest, or one of a newer penstock.
    """
    try:
        return _flows(_Fields(json.loads(data), "the document"))
    except RecursionError:
        problem = "it is nested too deeply"
    except _WrongError as exc:
        problem = str(exc)
    except ValueError as exc:  # neither JSON nor UTF-8
        problem = f"it is not JSON: {exc}"
    msg = f"{source} is not a manifest that can be read: {problem}."
    raise ManifestError(msg)


class _WrongError(ValueError):
    """What is wrong with a manifest, and where in it."""


def _flows(fields: _Fields) -> tuple[FlowInfo, ...]:
    _check_version(fields)
    service = fields.text("service")
    flows = tuple(_flow(item, service) for item in fields.tables("flows"))
    _refuse_twins("flow", [(flow.name, flow.service) for flow in flows])
    return flows


def _check_version(fields: _Fields) -> None:
    if "penstock" not in fields.values:
        problem = "it has no key 'penstock', as a manifest from `penstock export` has"
        raise _WrongError(problem)
    version = fields.number("penstock")
    if version > MANIFEST_VERSION:
        problem = (
            f"it has format {version}, and this penstock reads {MANIFEST_VERSION}; "
            "upgrade penstock here"
        )
        raise _WrongError(problem)
    if version < MANIFEST_VERSION:
        problem = f"there is no format {version}; write it again: penstock export"
        raise _WrongError(problem)


def _flow(fields: _Fields, service: str) -> FlowInfo:
    name = fields.name()
    steps = tuple(_step(item, name) for item in fields.tables("steps"))
    _refuse_twins(f"step of flow {name!r}", [step.name for step in steps])
    return FlowInfo(
        name=name,
        steps=steps,
        owner=fields.text("owner"),
        description=fields.text("description"),
        tags=fields.texts("tags"),
        service=fields.text("service", service),
    )


def _step(fields: _Fields, flow: str) -> StepInfo:
    return StepInfo(
        name=fields.name(),
        flow=flow,
        is_entrypoint=fields.flag("entrypoint"),
        after=fields.groups("after"),
        description=fields.text("description"),
        doc=fields.text("doc"),
        tags=fields.texts("tags"),
        module=fields.text("module"),
        qualname=fields.text("qualname"),
        path=fields.text("path"),
        line=fields.number("line"),
        is_async=fields.flag("async"),
        crosses=fields.flag("crosses"),
    )


def _refuse_twins(what: str, names: list[T]) -> None:
    seen: set[T] = set()
    for name in names:
        if name in seen:
            problem = f"{what} {name!r} is in it twice; write it again: penstock export"
            raise _WrongError(problem)
        seen.add(name)


class _Fields:
    """One JSON object; each complaint says where in the manifest it stands."""

    def __init__(self, value: object, where: str) -> None:
        self._where = where
        self.values = _checked(value, dict, where)

    def name(self) -> str:
        """Return the field that must not be missing or empty."""
        name = self.text("name")
        if not name:
            problem = f"{self._where} has no name"
            raise _WrongError(problem)
        return name

    def text(self, key: str, default: str = "") -> str:
        return _checked(self.values.get(key, default), str, self._at(key))

    def flag(self, key: str) -> bool:
        return _checked(self.values.get(key, False), bool, self._at(key))

    def number(self, key: str) -> int:
        return _checked(self.values.get(key, 0), int, self._at(key))

    def texts(self, key: str) -> tuple[str, ...]:
        return _texts(self.values.get(key, []), self._at(key))

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        items = _checked(self.values.get(key, []), list, self._at(key))
        return tuple(
            _texts(item, f"{self._at(key)}[{place}]")
            for place, item in enumerate(items)
        )

    def tables(self, key: str) -> Iterator[_Fields]:
        items = _checked(self.values.get(key, []), list, self._at(key))
        for place, item in enumerate(items):
            yield _Fields(item, f"{self._at(key)}[{place}]")

    def _at(self, key: str) -> str:
        return f"{self._where}.{key}".removeprefix("the document.")


def _texts(value: object, where: str) -> tuple[str, ...]:
    items = _checked(value, list, where)
    return tuple(
        _checked(item, str, f"{where}[{place}]") for place, item in enumerate(items)
    )


def _checked(value: object, expected: type[T], where: str) -> T:
    if type(value) is not expected:  # True is no number here
        found = _KINDS.get(type(value), "null")
        problem = f"{where} should be {_KINDS[expected]}, and is {found}"
        raise _WrongError(problem)
    return value
