"""The formats, built in and from packages: their renderers and file suffixes."""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, cast, get_args

from penstock.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path, PurePath

    from penstock._graph.graph import Graph

TextFormat = Literal["mermaid", "dot", "json", "text", "svg", "html"]
"""The built-in text formats, for type checkers."""

Direction = Literal["TD", "TB", "LR", "RL", "BT"]
"""Where edges point: top-down (twice), left-right, right-left, bottom-top."""

DIRECTIONS: tuple[str, ...] = get_args(Direction)


Theme = Literal["light", "dark"]
"""The pages that a picture is for."""

THEMES: tuple[str, ...] = get_args(Theme)


class Renderer(Protocol):
    """Draws a graph. Any function with this signature is a renderer."""

    def __call__(
        self, graph: Graph, *, detail: bool, direction: Direction
    ) -> str | bytes:
        """Return the drawing.

        Args:
            graph: The flows to draw.
            detail: Whether to show more than names and edges.
            direction: Where edges point, if the format lets you choose.
        """
        ...


class _Format(NamedTuple):
    """One format.

    Attributes:
        module: The module in this package with the function ``render_<name>``.
        suffixes: The suffixes of its files.
        is_block: Whether a fenced block in a document can hold it.
    """

    module: str
    suffixes: tuple[str, ...]
    is_block: bool = False


_TABLE = {
    "mermaid": _Format("mermaid", (".mmd", ".mermaid"), is_block=True),
    "dot": _Format("dot", (".dot", ".gv"), is_block=True),
    "json": _Format("json", (".json",), is_block=True),
    "text": _Format("terminal.text", (".txt",), is_block=True),
    "svg": _Format("picture.svg", (".svg",)),
    "png": _Format("picture.png", (".png",)),
    "html": _Format("page.html", (".html", ".htm")),
}
FORMATS = tuple(_TABLE)
BLOCK_FORMATS = tuple(name for name, row in _TABLE.items() if row.is_block)
MARKDOWN_SUFFIXES = (".md", ".markdown")
_SUFFIXES = dict.fromkeys(MARKDOWN_SUFFIXES, "mermaid") | {
    suffix: name for name, row in _TABLE.items() for suffix in row.suffixes
}
_THEMED = ("svg", "png")
_BACKTICKS = re.compile("`+")


def find_renderer(name: str) -> Renderer:
    """Return the renderer of the format *name*.

    Raises:
        ConfigurationError: No such format exists.
    """
    if name in _TABLE:
        module = import_module(f"{__package__}.{_TABLE[name].module}")
        return cast("Renderer", getattr(module, f"render_{name}"))
    from importlib.metadata import entry_points  # noqa: PLC0415  # 15 ms, rarely needed

    added = {entry.name: entry for entry in entry_points(group="penstock.renderers")}
    if name in added:
        return cast("Renderer", added[name].load())
    names = sorted({*_TABLE, *added})
    near = did_you_mean(name, names)
    msg = f"there is no format {name!r}.{near} Formats are: {', '.join(names)}."
    raise ConfigurationError(msg)


def themed(name: str, theme: Theme) -> Renderer:
    """Return the renderer of a format for pages that are light, or dark.

    Raises:
        ConfigurationError: The format has no colors of its own.
    """
    if name not in _THEMED:
        msg = f"a theme is for {' and '.join(_THEMED)}, and {name!r} has none."
        raise ConfigurationError(msg)
    render: Callable[..., str | bytes] = find_renderer(name)
    return partial(render, theme=theme)


def format_of(path: Path | None) -> str:
    """Return the format for the suffix of *path*.

    Raises:
        ConfigurationError: No format has this suffix.
    """
    if path is None:
        return "mermaid"
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        msg = (
            f"the suffix of {path.name!r} does not name a format. Name the format, or "
            f"a file that ends in one of: {' '.join(_SUFFIXES)}"
        )
        raise ConfigurationError(msg)
    return form


def content_of(drawing: str | bytes, form: str, path: PurePath) -> bytes:
    """Return the content of a file with *drawing*: in Markdown a fenced block."""
    if isinstance(drawing, bytes):
        return drawing
    if form in BLOCK_FORMATS and path.suffix.lower() in MARKDOWN_SUFFIXES:
        drawing = fenced(drawing, form)
    return f"{drawing}\n".encode()


def fenced(text: str, language: str) -> str:
    """Return *text* as a fenced block, whatever backticks it contains."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
