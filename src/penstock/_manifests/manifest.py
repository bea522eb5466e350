"""Read and write manifests: a service's flows as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._graph.graph import build_graph
from penstock._types import FlowInfo, StepInfo
from penstock.errors import ManifestError
from penstock.renderers.json import MANIFEST_VERSION, render_json

from .json_fields import Fields, WrongFieldError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = ["dump_manifest", "load_manifest", "parse_manifest"]

_MAX_BYTES = 200_000_000  # those of 100,000 steps are a third of it


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
        size = Path(path).stat().st_size
        data = Path(path).read_bytes() if size <= _MAX_BYTES else b""
    except OSError as exc:
        msg = f"manifest {str(path)!r} cannot be read: {exc.strerror or exc}."
        raise ManifestError(msg) from exc
    if size > _MAX_BYTES:
        msg = f"{path} is not a manifest: none has more than {_MAX_BYTES:,} bytes."
        raise ManifestError(msg)
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
        fields = Fields(_parsed(data), "the document")
        _refuse_newer(fields, source)
        return _flows(fields)
    except WrongFieldError as exc:
        msg = f"{source} is not a manifest: {exc}. Write it anew: penstock export"
        raise ManifestError(msg) from None


def _parsed(data: str | bytes) -> object:
    try:
        return json.loads(data, object_pairs_hook=_object)
    except WrongFieldError:
        raise
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as exc:  # neither JSON nor UTF-8
        problem = f"it is not JSON: {exc}"
    raise WrongFieldError(problem)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        _refuse_twins([f"the key {key!r} of one object" for key, _ in pairs])
    return values


def _refuse_newer(fields: Fields, source: str) -> None:
    version = fields.number("penstock")
    if version > MANIFEST_VERSION:
        msg = (
            f"manifest {source} has format {version}, and this penstock reads no "
            f"higher than {MANIFEST_VERSION}. Upgrade it: pip install -U penstock"
        )
        raise ManifestError(msg)
    if version < MANIFEST_VERSION:
        problem = "'penstock' should be the number of its format"
        raise WrongFieldError(problem)


def _flows(fields: Fields) -> tuple[FlowInfo, ...]:
    service = fields.text("service")
    flows = tuple(_flow(item, service) for item in fields.tables("flows"))
    _refuse_twins([f"flow {flow.name!r} of service {flow.service!r}" for flow in flows])
    return flows


def _flow(fields: Fields, service: str) -> FlowInfo:
    name = fields.name()
    steps = tuple(_step(item, name) for item in fields.tables("steps"))
    _refuse_twins([f"step {step.name!r} of flow {name!r}" for step in steps])
    return FlowInfo(
        name=name,
        steps=steps,
        owner=fields.text("owner"),
        description=fields.text("description"),
        tags=fields.texts("tags"),
        service=fields.text("service", service),
        source_url=fields.text("source_url"),
    )


def _step(fields: Fields, flow: str) -> StepInfo:
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
        signature=fields.text("signature"),
    )


def _refuse_twins(things: list[str]) -> None:
    seen: set[str] = set()
    for thing in things:
        if thing in seen:
            problem = f"{thing} is in it twice"
            raise WrongFieldError(problem)
        seen.add(thing)
