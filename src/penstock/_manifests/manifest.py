"""Read and write manifests: a service's flows as JSON."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from penstock._graph.graph import build_graph
from penstock._platform.json_fields import (
    JsonError,
    JsonObject,
    parse_json,
    refuse_duplicates,
)
from penstock._types import FlowInfo, StepInfo
from penstock.errors import ManifestError
from penstock.renderers.json import MANIFEST_VERSION, STEP_KEYS, render_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

_MAX_BYTES = 200_000_000  # 100,000 steps take a third of this


def dump_manifest(flows: Iterable[FlowInfo], known: Iterable[FlowInfo] = ()) -> str:
    """Return the manifest of *flows*, the same bytes on every machine.

    Raises:
        FlowDefinitionError: A step is declared after one that does not exist.
    """
    graph = build_graph(flows, known)
    return render_json(graph, detail=True, direction="TD") + "\n"


def load_manifest(path: str | PathLike[str]) -> tuple[FlowInfo, ...]:
    """Return the flows of the manifest at *path*.

    Raises:
        ManifestError: The file cannot be read, or is not a manifest.
    """
    try:
        size = Path(path).stat().st_size
        data = Path(path).read_bytes() if size <= _MAX_BYTES else b""
    except OSError as exc:
        msg = f"manifest {str(path)!r} cannot be read: {exc.strerror or exc}."
        raise ManifestError(msg) from exc
    if size > _MAX_BYTES:
        msg = f"{path} is not a manifest: it has more than {_MAX_BYTES:,} bytes."
        raise ManifestError(msg)
    return parse_manifest(data, source=str(path))


def parse_manifest(data: str | bytes, *, source: str) -> tuple[FlowInfo, ...]:
    """Return the flows of a manifest.

    Args:
        data: The manifest, as text or UTF-8.
        source: The name of its file, for the error message.

    Raises:
        ManifestError: It is not a manifest, or a newer penstock wrote it.
    """
    try:
        document = parse_json(data)
        _refuse_newer(document, source)
        return _flows(document)
    except JsonError as exc:
        msg = f"{source} is not a manifest: {exc}. Write it again: penstock export"
        raise ManifestError(msg) from None


def _refuse_newer(document: JsonObject, source: str) -> None:
    version = document.number("penstock")
    if version > MANIFEST_VERSION:
        msg = (
            f"manifest {source} has format {version}, and this penstock reads formats "
            f"up to {MANIFEST_VERSION}. Upgrade penstock: pip install -U penstock"
        )
        raise ManifestError(msg)
    if version < MANIFEST_VERSION:
        problem = "'penstock' should be the version of the format"
        raise JsonError(problem)


def _flows(document: JsonObject) -> tuple[FlowInfo, ...]:
    service = document.text("service")
    flows = tuple(_flow(item, service) for item in document.objects("flows"))
    refuse_duplicates(
        f"flow {flow.name!r} of service {flow.service!r}" for flow in flows
    )
    return flows


def _flow(item: JsonObject, service: str) -> FlowInfo:
    name = item.name()
    steps = tuple(_step(each, name) for each in item.objects("steps"))
    refuse_duplicates(f"step {step.name!r} of flow {name!r}" for step in steps)
    return FlowInfo(
        name=name,
        steps=steps,
        owner=item.text("owner"),
        description=item.text("description"),
        tags=item.texts("tags"),
        service=item.text("service", service),
        source_url=item.text("source_url"),
    )


def _step(item: JsonObject, flow: str) -> StepInfo:
    item.name()
    values = {
        name: read(item, STEP_KEYS[name]) for name, read in _step_readers().items()
    }
    return StepInfo(flow=flow, **values)


@cache
def _step_readers() -> Mapping[str, Callable[[JsonObject, str], Any]]:
    """Return a function that reads each field of a step, chosen by its type."""
    by_type: dict[object, Callable[[JsonObject, str], Any]] = {
        str: JsonObject.text,
        bool: JsonObject.flag,
        int: JsonObject.number,
        tuple[str, ...]: JsonObject.texts,
        tuple[tuple[str, ...], ...]: JsonObject.groups,
    }
    types = get_type_hints(StepInfo)
    return {name: by_type[types[name]] for name in STEP_KEYS}
