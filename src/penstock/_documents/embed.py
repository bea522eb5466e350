"""Draw the diagram that a document asks for: ``orders direction=LR detail``."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, cast

from penstock._graph.graph import build_graph
from penstock._graph.selection import select_flows
from penstock.errors import ConfigurationError, did_you_mean
from penstock.renderers.formats import (
    BLOCK_FORMATS,
    DIRECTIONS,
    content_of,
    find_renderer,
)
from penstock.renderers.terminal.text import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo
    from penstock.renderers.formats import Direction

_ALL = "*"
_EXAMPLES = {"direction": "LR", "format": "text", "file": "orders.svg"}
_OPTIONS = ("detail", *_EXAMPLES)
_IMAGES = ("svg", "png")
_PLAIN_PATH = re.compile(r"[\w./-]+")
_IN_BRACKETS = re.compile(r"[\[\]\\]")
_ESCAPED = r"\\\g<0>"
_WIDTH = 80  # of format=text; a terminal's width differs from machine to machine


@dataclass(frozen=True, slots=True)
class DiagramRequest:
    """One diagram in a document.

    Attributes:
        flows: The name of a flow, several separated by commas, or ``*`` for all.
        format: One of ``BLOCK_FORMATS``, or with a file ``svg`` or ``png``.
        detail: Whether to show more than names and edges.
        direction: Where edges point.
        file: The picture that the document shows, relative to it; ``""`` if it shows
            text.
    """

    flows: str
    format: str = "mermaid"
    detail: bool = False
    direction: Direction = "TD"
    file: str = ""

    @property
    def image(self) -> str:
        """The Markdown that shows the file."""
        alt = self.flows if self.flows != _ALL else "all flows"
        path = self.file if _PLAIN_PATH.fullmatch(self.file) else f"<{self.file}>"
        return f"![{_IN_BRACKETS.sub(_ESCAPED, alt)}]({path})"


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
    file = given.get("file", "")
    if file and "format" in given:
        msg = "'file' has a format already, that of its suffix: leave out 'format'."
        raise ConfigurationError(msg)
    return DiagramRequest(
        flows,
        format=_format_of(file)
        if file
        else _one_of("format", given.get("format", "mermaid"), BLOCK_FORMATS),
        detail="detail" in given,
        direction=cast(
            "Direction", _one_of("direction", given.get("direction", "TD"), DIRECTIONS)
        ),
        file=file,
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


def draw_picture(
    request: DiagramRequest, flows: Sequence[FlowInfo], known: Sequence[FlowInfo] = ()
) -> bytes:
    """Return the content of the requested file.

    Raises:
        UnknownFlowError: The request names a flow that is not among *flows*.
        FlowDefinitionError: A step is declared after one that does not exist.
        RenderError: It cannot be drawn here.
    """
    graph = build_graph(chosen_flows(request.flows, flows), (*flows, *known))
    render = find_renderer(request.format)
    drawing = render(graph, detail=request.detail, direction=request.direction)
    return content_of(drawing, request.format, PurePath(request.file))


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


def _format_of(file: str) -> str:
    """Return the format of a picture that a document shows."""
    path = PurePosixPath(file)
    form = path.suffix.lower().removeprefix(".")
    if form not in _IMAGES or path.is_absolute() or set(file) & set("<>\\\n"):
        msg = (
            f"file={file}: expected a path relative to this document, with slashes, "
            "that ends in .svg or .png."
        )
        raise ConfigurationError(msg)
    return form


def _wrong_option(option: str, key: str) -> str:
    if key == "detail":
        return "'detail' takes no value."
    if key in _OPTIONS:
        return f"{key!r} needs a value, such as {key}={_EXAMPLES[key]}."
    return (
        f"there is no option {option!r}.{did_you_mean(key, _OPTIONS)} Options are "
        "detail, direction=LR, format=text and file=orders.svg. Quote a name that has "
        'spaces: penstock:"order flow".'
    )


def _one_of(option: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        msg = (
            f"{option} is one of {', '.join(choices)}, not {value!r}."
            f"{did_you_mean(value, choices)}"
        )
        raise ConfigurationError(msg)
    return value
