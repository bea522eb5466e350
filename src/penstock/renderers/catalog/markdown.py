"""A catalog as Markdown: for a forge, a wiki, or a static site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.renderers.formats import fenced, find_renderer
from penstock.renderers.labels import printable

from .entries import MAP_LEGEND
from .pictures import draw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._graph.graph import Graph

    from .entries import Catalog, FlowEntry, StepEntry, StepLink

# If a heading has only these letters, its anchor is its text on every platform.
_ANCHOR = re.compile(r"[a-z0-9_-]+")
_OF_ADDRESSES = "%/:?#@!$&'*+,;="  # a parenthesis would end the link
# Replaced by entities, which every platform understands; backslash escapes differ.
# An underscore inside a word needs no escape.
_SPECIAL = re.compile(
    r"[!\"#$%&'*+;<=>@\[\\\]^`{|}~]|:(?!\d)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
)


def render_markdown_catalog(catalog: Catalog, *, images: str = "") -> dict[str, bytes]:
    """Return the pages of *catalog*, by their path.

    Args:
        catalog: The flows.
        images: ``svg`` or ``png`` for picture files; by default drawings are Mermaid
            blocks, which forges show.

    Raises:
        MissingExtraError: Pictures are requested, and neither the extra ``draw`` nor
            Graphviz is installed.
        RenderError: A picture could not be drawn.
    """
    writer = _MarkdownPages(images)
    texts = {"README.md": writer.index(catalog), "map.md": writer.map(catalog)}
    for entry in catalog.entries:
        texts[f"flows/{entry.page}.md"] = writer.flow(entry)
    pages = {name: text.encode() for name, text in texts.items()}
    return pages | writer.pictures


class _MarkdownPages:
    """Writes pages, and collects the pictures in them.

    Attributes:
        pictures: The pictures so far, by their path.
    """

    def __init__(self, images: str) -> None:
        self.pictures: dict[str, bytes] = {}
        self._images = images

    def index(self, catalog: Catalog) -> str:
        """Return the list of flows."""
        columns = _columns(catalog)
        table = [
            list(columns),
            ["---"] * len(columns),
            *zip(*columns.values(), strict=True),
        ]
        return _joined(
            f"# {_text(catalog.title)}",
            "[Map of the system](map.md)",
            "\n".join(f"| {' | '.join(row)} |" for row in table),
        )

    def map(self, catalog: Catalog) -> str:
        """Return the page with the map of the system."""
        return _joined(
            "# Map of the system",
            "[All flows](README.md)",
            MAP_LEGEND,
            self._drawing(catalog.overview, "map", "Map of the system", root=""),
        )

    def flow(self, entry: FlowEntry) -> str:
        """Return the page of a flow."""
        name = _text(entry.name)
        return _joined(
            f"# {name}",
            "[All flows](../README.md) · [Map of the system](../map.md)",
            _facts(
                ("About", "; ".join(map(_text, entry.descriptions))),
                ("Owner", ", ".join(map(_text, entry.owners))),
                ("Service", ", ".join(map(_text, entry.services))),
                ("Tags", ", ".join(map(_text, entry.tags))),
                ("Runs after", _links(entry.runs_after)),
                ("Leads to", _links(entry.leads_to)),
            ),
            self._drawing(
                entry.graph,
                f"flow-{entry.page}",
                f"Diagram of {name}",
                root="../",
                detail=entry.is_detailed,
            ),
            "## Steps",
            *(_step(one, entry) for one in entry.steps),
        )

    def _drawing(
        self, graph: Graph, name: str, label: str, *, root: str, detail: bool = False
    ) -> str:
        if not self._images:
            drawn = find_renderer("mermaid")(graph, detail=detail, direction="TD")
            return fenced(str(drawn), "mermaid")
        path = f"images/{name}.{self._images}"
        self.pictures[path] = draw(graph, self._images, detail=detail)
        return f"![{label}]({root}{path})"


def _columns(catalog: Catalog) -> dict[str, list[str]]:
    """Return the cells of the index by column, without empty columns."""
    entries = catalog.entries
    columns = {
        "flow": [f"[{_text(one.name)}](flows/{one.page}.md)" for one in entries],
        "owner": [", ".join(map(_text, one.owners)) for one in entries],
        "service": [", ".join(map(_text, one.services)) for one in entries],
        "entrypoints": [_entrypoints(one) for one in entries],
        "steps": [str(len(one.steps)) for one in entries],
        "tags": [", ".join(map(_text, one.tags)) for one in entries],
        "about": ["; ".join(map(_text, one.descriptions)) for one in entries],
    }
    return {head: cells for head, cells in columns.items() if any(cells)}


def _entrypoints(entry: FlowEntry) -> str:
    return ", ".join(_text(one.node.label) for one in entry.entrypoints)


def _step(one: StepEntry, entry: FlowEntry) -> str:
    step = one.node.step
    services = one.node.services if one.node.services != entry.services else ()
    return _joined(
        f"### {_text(step.name)}",
        _facts(
            ("Entrypoint", "yes" if step.is_entrypoint else ""),
            ("Service", ", ".join(map(_text, services))),
            ("Source", _source(one)),
            ("Tags", ", ".join(map(_text, step.tags))),
            ("Runs after", _links(one.before)),
            ("Leads to", _links(one.after)),
        ),
        fenced(printable(step.doc), "text") if step.doc else "",
        end="",
    )


def _source(one: StepEntry) -> str:
    place = _text(one.place) if one.place else ""
    address = quote(one.link, safe=_OF_ADDRESSES, errors="replace")
    return f"[{place}]({address})" if address else place


def _links(links: Iterable[StepLink]) -> str:
    return ", ".join(map(_link, links))


def _link(link: StepLink) -> str:
    name = _text(link.label)
    if link.page:
        name = f"[{name}]({link.page}.md{_anchor(link)})"
    return f"{name} ({link.note})" if link.note else name


def _anchor(link: StepLink) -> str:
    step = link.label.rpartition(":")[2]
    return f"#{step}" if _ANCHOR.fullmatch(step) else ""


def _facts(*facts: tuple[str, str]) -> str:
    return "\n".join(f"- **{name}:** {words}" for name, words in facts if words)


def _text(text: str) -> str:
    """Return *text* on one line, without any Markdown syntax."""
    line = " ".join(printable(text).split())
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", line)


def _joined(*parts: str, end: str = "\n") -> str:
    return "\n\n".join(filter(None, parts)) + end
