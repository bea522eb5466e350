"""What a document asks to be drawn: ``orders direction=LR detail``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from penstock._graph.graph import build_graph
from penstock.errors import ConfigurationError, UnknownFlowError, did_you_mean
from penstock.renderers.base import Direction, find_renderer
from penstock.renderers.terminal.text import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo

__all__ = ["EMBEDDED_FORMATS", "Request", "chosen_flows", "draw_text", "parse_request"]

EMBEDDED_FORMATS = ("mermaid", "text", "dot", "json")
"""What can stand in a document as text."""

_ALL = "*"
_OPTIONS = ("detail", "direction", "format")
_WIDTH = 80  # of format=text; the terminal's would differ from machine to machine


@dataclass(frozen=True, slots=True)
class Request:
    """One diagram, as a document asks for it.

    Attributes:
        flows: The name of a flow, several with commas between them, or ``*``.
        format: One of ``EMBEDDED_FORMATS``.
        detail: Whether to show more than names and edges.
        direction: Where edges point.
    """

    flows: str
    format: str = "mermaid"
    detail: bool = False
    direction: Direction = "TD"


def parse_request(text: str) -> Request:
    """Return the request that *text* is.

    Raises:
        ConfigurationError: It has an unknown option, or a wrong value.
    """
    try:
        flows, *options = shlex.split(text)
    except ValueError as exc:
        msg = f"{text!r} cannot be read: {str(exc).lower()}."
        raise ConfigurationError(msg) from None
    given: dict[str, str] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in _OPTIONS or (key == "detail") == bool(value):
            raise ConfigurationError(_wrong_option(option, key))
        given[key] = value
    return Request(
        flows,
        format=_one_of("format", given.get("format", "mermaid"), EMBEDDED_FORMATS),
        detail="detail" in given,
        direction=cast(
            "Direction",
            _one_of("direction", given.get("direction", "TD"), get_args(Direction)),
        ),
    )


def chosen_flows(names: str, flows: Sequence[FlowInfo]) -> tuple[FlowInfo, ...]:
    """Return those of *flows* that *names* asks for.

    A flow of exactly that name wins over what commas and ``*`` mean.

    Raises:
        UnknownFlowError: There is none of that name.
    """
    declared = {flow.name for flow in flows}
    if names in declared:
        wanted = {names}
    elif names == _ALL:
        wanted = declared
    else:
        wanted = {name.strip() for name in names.split(",")}
    for name in sorted(wanted - declared):
        near = did_you_mean(name, sorted(declared))
        listed = f" Flows are: {', '.join(sorted(declared))}." if declared else ""
        msg = f"there is no flow {name!r}.{near}{listed}"
        raise UnknownFlowError(msg, flow=name)
    return tuple(flow for flow in flows if flow.name in wanted)


def draw_text(
    request: Request, flows: Sequence[FlowInfo], known: Sequence[FlowInfo] = ()
) -> str:
    """Return the drawing that *request* asks for, the same bytes on every machine.

    Args:
        request: What to draw, and how.
        flows: What it can name.
        known: Whatever else there is, so that predecessors are found.

    Raises:
        UnknownFlowError: It names a flow that is none of *flows*.
        FlowDefinitionError: A step comes after one that is not declared.
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
        "detail, direction=LR and format=text; a name with spaces is quoted: "
        'penstock:"order flow".'
    )


_EXAMPLES = {"direction": "LR", "format": "text"}


def _one_of(option: str, value: str, choice: Sequence[str]) -> str:
    if value not in choice:
        msg = (
            f"{option} is one of {', '.join(choice)}, and not {value!r}."
            f"{did_you_mean(value, choice)}"
        )
        raise ConfigurationError(msg)
    return value
