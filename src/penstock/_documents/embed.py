"""Draw the diagram that a document asks for: ``orders direction=LR detail``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from penstock._graph.graph import build_graph
from penstock._graph.selection import select_flows
from penstock.errors import ConfigurationError, did_you_mean
from penstock.renderers.formats import BLOCK_FORMATS, DIRECTIONS, find_renderer
from penstock.renderers.terminal.text import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo
    from penstock.renderers.formats import Direction

_ALL = "*"
_EXAMPLES = {"direction": "LR", "format": "text"}
_OPTIONS = ("detail", *_EXAMPLES)
_WIDTH = 80  # of format=text; a terminal's width differs from machine to machine


@dataclass(frozen=True, slots=True)
class DiagramRequest:
    """One diagram in a document.

    Attributes:
        flows: The name of a flow, several separated by commas, or ``*`` for all.
        format: One of ``BLOCK_FORMATS``.
        detail: Whether to show more than names and edges.
        direction: Where edges point.
    """

    flows: str
    format: str = "mermaid"
    detail: bool = False
    direction: Direction = "TD"


def parse_request(text: str) -> DiagramRequest:
    """Return the request that *text* states.

    Raises:
        ConfigurationError: An option is unknown, or its value is wrong.
    """
    try:
        flows, *options = shlex.split(text)
    except ValueError as exc:
        msg = f"{text!r} cannot be parsed: {str(exc).lower()}."
        raise ConfigurationError(msg) from None
    given: dict[str, str] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in _OPTIONS or (key == "detail") == bool(value):
            raise ConfigurationError(_wrong_option(option, key))
        given[key] = value
    return DiagramRequest(
        flows,
        format=_one_of("format", given.get("format", "mermaid"), BLOCK_FORMATS),
        detail="detail" in given,
        direction=cast(
            "Direction", _one_of("direction", given.get("direction", "TD"), DIRECTIONS)
        ),
    )


def chosen_flows(names: str, flows: Sequence[FlowInfo]) -> tuple[FlowInfo, ...]:
    """Return the *flows* that *names* selects.

    A flow with exactly that name is chosen before commas and ``*`` are interpreted.

    Raises:
        UnknownFlowError: No flow has one of the names.
    """
    declared = {flow.name for flow in flows}
    if names in declared:
        return select_flows([names], flows)
    if names == _ALL:
        return tuple(flows)
    return select_flows([name.strip() for name in names.split(",")], flows)


def draw_text(
    request: DiagramRequest, flows: Sequence[FlowInfo], known: Sequence[FlowInfo] = ()
) -> str:
    """Return the requested drawing of some *flows*, the same bytes on every machine.

    Raises:
        UnknownFlowError: The request names a flow that is not among *flows*.
        FlowDefinitionError: A step is declared after one that does not exist.
    """
    graph = build_graph(chosen_flows(request.flows, flows), (*flows, *known))
    detail, direction = request.detail, request.direction
    if request.format == "text":
        return render_text(graph, detail=detail, direction=direction, width=_WIDTH)
    render = find_renderer(request.format)
    return str(render(graph, detail=detail, direction=direction))


def _wrong_option(option: str, key: str) -> str:
    if key == "detail":
        return "'detail' takes no value."
    if key in _OPTIONS:
        return f"{key!r} needs a value, such as {key}={_EXAMPLES[key]}."
    return (
        f"there is no option {option!r}.{did_you_mean(key, _OPTIONS)} Options are "
        "detail, direction=LR and format=text. Quote a name that has spaces: "
        'penstock:"order flow".'
    )


def _one_of(option: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        msg = (
            f"{option} is one of {', '.join(choices)}, not {value!r}."
            f"{did_you_mean(value, choices)}"
        )
        raise ConfigurationError(msg)
    return value
