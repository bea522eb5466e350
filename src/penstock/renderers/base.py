"""What a renderer is, and which there are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

from penstock.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from penstock._graph.graph import Graph

__all__ = [
    "FORMATS",
    "GROUP",
    "Direction",
    "Renderer",
    "find_renderer",
    "renderer_names",
]

GROUP = "penstock.renderers"
Direction = Literal["TD", "TB", "LR", "RL", "BT"]

# Each format is the function render_<format> of a module beside this one.
_MODULES = {
    "dot": "dot",
    "html": "page.html",
    "json": "json",
    "mermaid": "mermaid",
    "png": "picture.image",
    "svg": "picture.image",
    "text": "terminal.text",
}
FORMATS = tuple(_MODULES)


class Renderer(Protocol):
    """Draws a graph; a function will do.

    Another package adds a format by the entry-point group ``penstock.renderers``:
    the entry point's name is the format's.
    """

    def __call__(
        self, graph: Graph, *, detail: bool, direction: Direction
    ) -> str | bytes:
        """Return the drawing.

        Args:
            graph: What to draw.
            detail: Whether to show more than names and edges.
            direction: Where edges point, in a format that can choose.
        """
        ...


def find_renderer(name: str) -> Renderer:
    """Return the renderer of the format *name*.

    Raises:
        ConfigurationError: There is no such format.
    """
    if name in _MODULES:
        module = import_module(f"{__package__}.{_MODULES[name]}")
        return cast("Renderer", getattr(module, f"render_{name}"))
    for entry in _entry_points():
        if entry.name == name:
            return cast("Renderer", entry.load())
    names = renderer_names()
    near = did_you_mean(name, names)
    msg = f"there is no format {name!r}.{near} Formats are: {', '.join(names)}."
    raise ConfigurationError(msg)


def renderer_names() -> tuple[str, ...]:
    """Return every format, sorted."""
    return tuple(sorted({*_MODULES, *(entry.name for entry in _entry_points())}))


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415  # 15 ms, rarely needed

    return entry_points(group=GROUP)
