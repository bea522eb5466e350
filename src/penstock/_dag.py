"""Draw flows: from the registry through a graph and a renderer to text or a file."""

# ruff: noqa: FBT001, FBT002  # generate_dag's signature is the documented one

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

from ._graph.evidence import Sources
from ._graph.graph import build_graph
from ._graph.overlay import add_evidence
from ._graph.overview import overview_of
from ._graph.selection import check_names, select_flows
from ._platform.file import write_file
from ._registry import declared_flows
from .errors import ConfigurationError
from .renderers.formats import (
    DIRECTIONS,
    Direction,
    TextFormat,
    Theme,
    content_of,
    find_renderer,
    format_of,
    themed,
)
from .renderers.warnings import warn_caller

if TYPE_CHECKING:
    from ._types import FlowInfo
    from .conformance import ConformanceReport

    Report: TypeAlias = ConformanceReport | Mapping[str, Any] | str | PathLike[str]
    Reports: TypeAlias = Report | Iterable[Report]

_MAX_STALE = 5  # names in the warning


@overload
def generate_dag(
    flow_name: str | Sequence[str] | None,
    format: TextFormat | None = None,
    output: None = None,
    detail: bool = False,
    direction: Direction = "TD",
    *,
    overview: bool = False,
    expand: str | Sequence[str] = (),
    evidence: Reports | None = None,
) -> str: ...
@overload
def generate_dag(
    flow_name: str | Sequence[str] | None,
    format: Literal["png"],
    output: None = None,
    detail: bool = False,
    direction: Direction = "TD",
    *,
    overview: bool = False,
    expand: str | Sequence[str] = (),
    evidence: Reports | None = None,
) -> bytes: ...
@overload
def generate_dag(
    flow_name: str | Sequence[str] | None,
    format: str | None,
    output: None = None,
    detail: bool = False,
    direction: Direction = "TD",
    *,
    overview: bool = False,
    expand: str | Sequence[str] = (),
    evidence: Reports | None = None,
) -> str | bytes: ...
@overload
def generate_dag(
    flow_name: str | Sequence[str] | None,
    format: str | None = None,
    *,
    output: str | PathLike[str],
    detail: bool = False,
    direction: Direction = "TD",
    overview: bool = False,
    expand: str | Sequence[str] = (),
    evidence: Reports | None = None,
) -> None: ...
@overload
def generate_dag(
    flow_name: str | Sequence[str] | None,
    format: str | None,
    output: str | PathLike[str],
    detail: bool = False,
    direction: Direction = "TD",
    *,
    overview: bool = False,
    expand: str | Sequence[str] = (),
    evidence: Reports | None = None,
) -> None: ...
def generate_dag(
    flow_name: str | Sequence[str] | None,
    format: str | None = None,
    output: str | PathLike[str] | None = None,
    detail: bool = False,
    direction: Direction = "TD",
    *,
    overview: bool = False,
    expand: str | Sequence[str] = (),
    evidence: Reports | None = None,
) -> str | bytes | None:
    """Draw flows as a diagram.

    >>> from penstock import entrypoint, flow, generate_dag, step
    >>> @flow("orders")
    ... @entrypoint
    ... def receive(order): ...
    >>> @flow("orders")
    ... @step(after=receive)
    ... def charge(order): ...
    >>> print(generate_dag("orders"))
    graph TD
        receive --> charge

    Args:
        flow_name: One flow, several, or None for all declared flows.
        format: ``mermaid``, ``dot``, ``json``, ``text``, ``svg``, ``png``, ``html``,
            or a format that another package adds. By default the format of
            *output*'s suffix, else ``mermaid``.
        output: A file to write instead of returning the diagram. It is replaced as
            a whole or not at all.
        detail: Whether to add descriptions, tags and joins.
        direction: Where edges point: ``TD`` (or ``TB``), ``LR``, ``RL`` or ``BT``.
        overview: Whether to draw each flow as one box, with its number of steps.
            ``json`` ignores it and always contains everything.
        expand: The flows of an overview that show their steps.
        evidence: A conformance report, its dict, a JSON file with it, or several of
            these. Each edge then says how often it was seen.

    Returns:
        The diagram (``bytes`` for ``png``), or None if *output* is given.

    Raises:
        UnknownFlowError: No flow of that name is declared.
        FlowDefinitionError: A step is declared after one that does not exist.
        ConfigurationError: The format, suffix or direction does not exist, or
            *evidence* is not a report.
        RenderError: The diagram could not be drawn, or *output* not written.
    """
    known = declared_flows()
    return draw(
        known if flow_name is None else select_flows(_names(flow_name), known),
        known,
        format=format,
        output=output,
        detail=detail,
        direction=direction,
        overview=overview,
        expand=_names(expand),
        evidence=None if evidence is None else Sources(_runs(evidence)),
    )


def draw(
    flows: Iterable[FlowInfo],
    known: Iterable[FlowInfo] = (),
    *,
    format: str | None = None,
    output: str | PathLike[str] | None = None,
    detail: bool = False,
    direction: Direction = "TD",
    overview: bool = False,
    expand: Sequence[str] = (),
    evidence: Sources | None = None,
    theme: Theme | None = None,
) -> str | bytes | None:
    """Draw *flows* as ``generate_dag`` draws those of the registry.

    Args:
        flows: The flows to draw.
        known: Other flows, where predecessors may be found.
        format: As in ``generate_dag``, like the other arguments.
        output: A file to write.
        detail: Whether to show more than names and edges.
        direction: Where edges point.
        overview: Whether each flow is one box.
        expand: The flows that show their steps; naming one implies an overview.
        evidence: What code and runs show.
        theme: The pages that the picture is for; by default SVG suits both kinds,
            and PNG light ones.
    """
    path = None if output is None else Path(output)
    form = format or format_of(path)
    render = themed(form, theme) if theme else find_renderer(form)
    _check_direction(direction)
    known = tuple(known)
    graph = build_graph(flows, known)
    if evidence is not None:
        graph, stale = add_evidence(graph, known, evidence)
        if stale:
            warn_caller(_stale(stale))
    check_names(expand, graph.flows)
    if (overview or expand) and form != "json":
        graph = overview_of(graph, expand)
    drawing = render(graph, detail=detail, direction=direction)
    if path is None:
        return drawing
    write_file(path, content_of(drawing, form, path))
    return None


def _runs(evidence: Reports) -> Mapping[str, Any]:
    """Return the flows of one report, or of several merged."""
    # Here, because the import takes 10 ms, and plain drawings do not need it.
    from .conformance import ConformanceReport  # noqa: PLC0415  # see above

    is_one = isinstance(evidence, (ConformanceReport, Mapping, str, PathLike))
    reports = cast("Iterable[Report]", [evidence] if is_one else evidence)
    runs: Mapping[str, Any] = ConformanceReport.merge(reports).to_dict()["flows"]
    return runs


def _stale(names: Sequence[str]) -> str:
    listed = ", ".join(names[:_MAX_STALE])
    more = len(names) - _MAX_STALE
    rest = f" and {more} more" if more > 0 else ""
    return f"the evidence has undeclared names, which are not drawn: {listed}{rest}."


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        msg = f"direction is one of {', '.join(DIRECTIONS)}, not {direction!r}."
        raise ConfigurationError(msg)
