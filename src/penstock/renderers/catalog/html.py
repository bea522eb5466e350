"""A catalog as HTML: pages that work from disk and load no other files."""

from __future__ import annotations

from functools import cache
from html import escape
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.renderers.html_assets import content_policy, read_asset
from penstock.renderers.labels import printable
from penstock.renderers.picture.theme import page_style

from .entries import MAP_LEGEND, page_name
from .pictures import draw, draw_linked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .entries import Catalog, FlowEntry, StepEntry, StepLink

_SEARCH = """\
<p class="search" hidden><label for="search">Search flows, steps, owners and tags
<span class="about">(press /)</span></label><br>
<input id="search" type="search" autocomplete="off" spellcheck="false"></p>"""


def render_html_catalog(catalog: Catalog) -> dict[str, bytes]:
    """Return the pages of *catalog*, by their path."""
    files = {"index.html": _index(catalog), "map.html": _map(catalog)}
    for entry in catalog.entries:
        files[f"flows/{entry.page}.html"] = _flow(entry)
        drawing = draw(entry.graph, "html", detail=entry.is_detailed)
        files[f"flows/{entry.page}.drawing.html"] = drawing.decode()
    return {name: text.encode() for name, text in files.items()}


def _index(catalog: Catalog) -> str:
    columns = _columns(catalog)
    heads = "".join(f'<th scope="col">{head}</th>' for head in columns)
    rows = zip(*columns.values(), strict=True)
    size = len(catalog.entries)
    return _page(
        catalog.title,
        [
            f"<h1>{_text(catalog.title)}</h1>",
            '<nav><a href="map.html">Map of the system</a></nav>',
            _SEARCH,
            f'<p id="count" role="status">{size} flow{"" if size == 1 else "s"}</p>',
            f'<div class="table"><table><thead><tr>{heads}</tr></thead><tbody>',
            *map(_row, catalog.entries, rows),
            "</tbody></table></div>",
        ],
        script=_asset("catalog.js"),
    )


def _columns(catalog: Catalog) -> dict[str, list[str]]:
    """Return the cells of the index by column, without empty columns."""
    entries = catalog.entries
    columns = {
        "Flow": [_heading(one) for one in entries],
        "Owner": [", ".join(map(_name, one.owners)) for one in entries],
        "Service": [", ".join(map(_name, one.services)) for one in entries],
        "Entrypoints": [_entrypoints(one) for one in entries],
        "Steps": [str(len(one.steps)) for one in entries],
        "Tags": [_tags(one.tags, "") for one in entries],
    }
    return {head: cells for head, cells in columns.items() if any(cells)}


def _row(entry: FlowEntry, cells: Iterable[str]) -> str:
    """Return a row of the index, with more words for the search in an attribute."""
    steps = [one.node.step for one in entry.steps]
    words = " ".join(word for step in steps for word in (step.name, *step.tags))
    html = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr data-steps="{_text(words)}">{html}</tr>'


def _heading(entry: FlowEntry) -> str:
    about = (
        f'<br><span class="about">{_text(one)}</span>' for one in entry.descriptions
    )
    link = f'<a href="flows/{entry.page}.html">{_name(entry.name)}</a>'
    return link + "".join(about)


def _entrypoints(entry: FlowEntry) -> str:
    labels = (one.node.label for one in entry.entrypoints)
    return ", ".join(f'<span class="go">{_name(label)}</span>' for label in labels)


def _map(catalog: Catalog) -> str:
    drawing = draw_linked(
        catalog.overview,
        lambda node: (
            f"flows/{page_name(node.step.flow)}.html" if node.kind == "flow" else ""
        ),
        detail=False,
    )
    return _page(
        "Map of the system",
        [
            '<nav><a href="index.html">All flows</a></nav>',
            "<h1>Map of the system</h1>",
            f"<p>{MAP_LEGEND}</p>",
            _drawing("Map of the system", drawing),
        ],
    )


def _flow(entry: FlowEntry) -> str:
    anchors = {one.node.step.name: one.anchor for one in entry.steps}
    drawing = draw_linked(
        entry.graph,
        lambda node: f"#{anchors[node.step.name]}" if node.kind == "step" else "",
        detail=entry.is_detailed,
    )
    name = f"{entry.page}.drawing.html"
    larger = f'<p><a href="{name}">Open the diagram to zoom and search</a></p>'
    return _page(
        entry.name,
        [
            '<nav><a href="../index.html">All flows</a>',
            '<a href="../map.html">Map of the system</a></nav>',
            f"<h1>{_name(entry.name)}</h1>",
            *(f"<p>{_text(one)}</p>" for one in entry.descriptions),
            _facts(
                ("Owner", ", ".join(map(_name, entry.owners))),
                ("Service", ", ".join(map(_name, entry.services))),
                ("Tags", _tags(entry.tags, "../")),
            ),
            "<h2>Diagram</h2>",
            _drawing(f"Diagram of {entry.name}", drawing),
            larger,
            "<h2>Steps</h2>",
            *(_step(one, entry) for one in entry.steps),
        ],
    )


def _step(one: StepEntry, entry: FlowEntry) -> str:
    step = one.node.step
    # Name the services only if they are not those of the whole flow.
    services = one.node.services if one.node.services != entry.services else ()
    kind = ' <span class="go">entrypoint</span>' if step.is_entrypoint else ""
    doc = f"<pre>{_text(step.doc)}</pre>" if step.doc else ""
    facts = _facts(
        ("Service", ", ".join(map(_name, services))),
        ("Source", _text(one.place) if one.place else ""),
        ("Tags", _tags(step.tags, "../")),
        ("After", _links(one.before)),
        ("Before", _links(one.after)),
    )
    heading = f"<h3>{_name(step.name)}{kind}</h3>"
    return f'<section id="{one.anchor}">{heading}{doc}{facts}</section>'


def _links(links: Iterable[StepLink]) -> str:
    return ", ".join(map(_link, links))


def _link(link: StepLink) -> str:
    name = _name(link.label)
    if link.page:
        name = f'<a href="{link.page}.html#{link.anchor}">{name}</a>'
    return f"{name} ({link.note})" if link.note else name


def _tags(tags: Iterable[str], root: str) -> str:
    link = '<a class="tag" href="{}index.html#q={}">{}</a>'.format
    return " ".join(
        link(root, quote(printable(tag), safe=""), _name(tag)) for tag in tags
    )


def _facts(*facts: tuple[str, str]) -> str:
    rows = (f"<dt>{name}</dt><dd>{html}</dd>" for name, html in facts if html)
    return f"<dl>{''.join(rows)}</dl>"


def _drawing(label: str, svg: str) -> str:
    # It scrolls, so it must be reachable without a mouse.
    return (
        f'<div class="drawing" role="region" tabindex="0" aria-label="{_text(label)}">'
        f"{svg}</div>"
    )


def _page(title: str, body: Sequence[str], *, script: str = "") -> str:
    style = f"{page_style()}\n{_asset('catalog.css')}"
    scripts = [f"<script>\n{script}\n</script>"] if script else []
    page = Template(_asset("catalog.html")).substitute(
        # The icon is a data: URL. Without one, browsers request /favicon.ico.
        policy=content_policy(style, script, "img-src data:", "font-src data:"),
        title=_text(title),
        style=style,
        body="\n".join((*body, *scripts)),
    )
    return f"{page}\n"


@cache
def _asset(name: str) -> str:
    return read_asset("penstock.renderers.catalog", name)


def _text(text: str) -> str:
    return escape(printable(text))


def _name(text: str) -> str:
    """Return a name that cannot change the direction of the text around it."""
    return f"<bdi>{_text(text)}</bdi>"
