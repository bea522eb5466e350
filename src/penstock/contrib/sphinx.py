"""Draw flows in Sphinx documents: ``.. penstock:: orders``."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from penstock._documents.embed import DiagramRequest, chosen_flows, draw_text
from penstock._graph.graph import build_graph
from penstock._manifests.manifest import load_manifest
from penstock._platform.optional import requires
from penstock._registry import declared_flows
from penstock.errors import PenstockError
from penstock.renderers.formats import Direction
from penstock.renderers.picture.svg import draw_svg
from penstock.renderers.picture.theme import page_style

with requires("docutils", extra="sphinx"):
    from docutils import nodes
    from docutils.parsers.rst import directives
with requires("sphinx", extra="sphinx"):
    from sphinx.util import logging
    from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sphinx.application import Sphinx

    from penstock._types import FlowInfo

__all__ = ["FlowDirective", "setup"]

_MERMAID = "sphinxcontrib.mermaid"
# Themes with a switch say in data-theme what a reader chose; the others are light.
# A phone scrolls, as the text of a picture as narrow as its screen is unreadable.
_STYLE = """
figure.penstock{margin:1.5em 0;overflow-x:auto;color-scheme:light}
[data-theme=auto] figure.penstock{color-scheme:light dark}
[data-theme=dark] figure.penstock{color-scheme:dark}
figure.penstock svg{max-width:max(100%,40rem);height:auto}
"""
_log = logging.getLogger(__name__)


def _format(argument: str) -> str:
    return directives.choice(argument, ("svg", "mermaid", "text"))


def _direction(argument: str) -> str:
    names = [name.lower() for name in get_args(Direction)]
    return directives.choice(argument, names).upper()


class _Diagram(nodes.General, nodes.Element):
    """A diagram whose builder is not known yet."""


class FlowDirective(SphinxDirective):
    """Draws a flow, several with commas between them, or all: ``*``.

    ``:format: svg``, the default, is a picture that turns dark with the page. It and
    ``mermaid`` need a builder that makes HTML, and Mermaid also needs the extension
    ``sphinxcontrib.mermaid``; without them, the diagram is drawn as ``text``.
    ``:detail:`` and ``:direction:`` are those of ``generate_dag``. A flow that cannot
    be drawn is a warning with its place.
    """

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]] | None] = {
        "detail": directives.flag,
        "direction": _direction,
        "format": _format,
    }

    def run(self) -> list[nodes.Node]:
        """Return the diagram, or nothing if it cannot be drawn."""
        flows = (*declared_flows(), *self._of_manifests())
        detail = "detail" in self.options
        direction = self.options.get("direction", "TD")
        form = self.options.get("format", "svg")
        names = self.arguments[0]
        try:
            self._note_sources(chosen_flows(names, flows))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                drawing = _drawing(
                    DiagramRequest(names, form, detail, direction), flows
                )
            text = draw_text(DiagramRequest(names, "text", detail, direction), flows)
        except PenstockError as exc:
            _log.warning("%s", exc, location=self.get_location(), type="penstock")
            return []
        notes = [str(warning.message) for warning in caught]
        diagram = _Diagram(format=form, drawing=drawing, text=text, notes=notes)
        self.set_source_info(diagram)
        return [diagram]

    def _of_manifests(self) -> list[FlowInfo]:
        flows: list[FlowInfo] = []
        for target in self.config.penstock_import:
            if _is_manifest(target):
                path = Path(self.env.srcdir, target)
                self.env.note_dependency(str(path))
                try:
                    flows += load_manifest(path)
                except PenstockError as exc:
                    place = self.get_location()
                    _log.warning("%s", exc, location=place, type="penstock")
        return flows

    def _note_sources(self, flows: Sequence[FlowInfo]) -> None:
        """Rebuild the document when a file that declares a step changes."""
        for path in {step.path for flow in flows for step in flow.steps if step.path}:
            if Path(path).is_file():
                self.env.note_dependency(str(Path(path).resolve()))


def _drawing(request: DiagramRequest, flows: Sequence[FlowInfo]) -> str:
    if request.format != "svg":
        return draw_text(request, flows)
    graph = build_graph(chosen_flows(request.flows, flows), flows)
    return draw_svg(
        graph, detail=request.detail, direction=request.direction, theme="page"
    )


def _show(app: Sphinx, document: nodes.document, _name: str) -> None:
    """Replace each diagram by what the builder can show."""
    diagrams = list(document.findall(_Diagram))
    if app.builder.format == "html" and any(one["format"] == "svg" for one in diagrams):
        diagrams[0].parent.insert(diagrams[0].parent.index(diagrams[0]), _style(app))
    for diagram in diagrams:
        diagram.replace_self(_shown(diagram, app))


def _style(app: Sphinx) -> nodes.Node:
    """Return the colours and the font of all pictures of a page."""
    # A reading device may not know light-dark(), and has no switch.
    is_page = app.builder.name != "epub"
    style = page_style("page" if is_page else "both")
    return nodes.raw("", f"<style>{style}{_STYLE}</style>", format="html")


def _shown(diagram: _Diagram, app: Sphinx) -> nodes.Node:
    form, drawing, text = (diagram[key] for key in ("format", "drawing", "text"))
    is_html = app.builder.format == "html"
    if is_html and form == "svg":
        html = f'<figure class="penstock">{drawing}</figure>'
        return nodes.raw("", html, format="html")
    runs_scripts = is_html and app.builder.name != "epub"
    if form == "mermaid" and runs_scripts and _MERMAID in app.extensions:
        for note in diagram["notes"]:
            _log.warning("%s", note, location=diagram, type="penstock")
        mermaid = importlib.import_module(_MERMAID)
        node: nodes.Node = mermaid.mermaid(code=drawing, options={})
        return node
    return nodes.literal_block(text, text, language="text")


def _is_manifest(target: str) -> bool:
    return target.endswith(".json")


def _import(app: Sphinx) -> None:
    """Import the modules of ``penstock_import``; a failure is a warning."""
    for target in app.config.penstock_import:
        if _is_manifest(target):
            continue
        try:
            importlib.import_module(target)
        except (Exception, SystemExit) as exc:  # noqa: BLE001  # the user's own code
            _log.warning(
                "%s: penstock_import: importing %r failed: %s: %s",
                Path(app.confdir, "conf.py"),
                target,
                type(exc).__name__,
                exc,
                type="penstock",
            )


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive ``penstock`` and the setting ``penstock_import``."""
    app.add_config_value("penstock_import", (), "env", (list, tuple))
    app.add_directive("penstock", FlowDirective)
    app.connect("builder-inited", _import)
    app.connect("doctree-resolved", _show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
