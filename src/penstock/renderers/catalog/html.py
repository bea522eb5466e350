"""A catalog as HTML: pages that work from disk and load no other files."""

from __future__ import annotations

from functools import cache
from html import escape
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.renderers.html_assets import (
    colour_variables,
    content_policy,
    read_asset,
)
from penstock.renderers.labels import printable
from penstock.renderers.page.html import render_html
from penstock.renderers.picture.theme import by_name, groups_of, hues_of, page_style

from .entries import MAP_LEGEND, page_name
from .pictures import draw_linked, draw_thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .entries import Catalog, FlowEntry, StepEntry, StepLink

    Hues = Mapping[str, str]

_SEARCH = """\
<p class="search" hidden><label for="search" class="about">Search flows, steps, owners
and tags (press /)</label>
<input id="search" type="search" autocomplete="off" spellcheck="false">
<span id="count" role="status"></span></p>"""


def render_html_catalog(catalog: Catalog) -> dict[str, bytes]:
    """Return the pages of *catalog*, by their path."""
    flows = [flow for entry in catalog.entries for flow in entry.flows]
    hues, groups = hues_of(flows), groups_of(flows)
    files: dict[str, str] = {}
    cards: dict[str, str] = {}
    for entry in catalog.entries:
        # One after the other, the drawings of a flow share the search for an order.
        cards[entry.name] = _card(entry, hues, groups[entry.name])
        files[f"flows/{entry.page}.html"] = _flow(entry, hues)
        drawing = render_html(
            entry.graph, detail=entry.is_detailed, direction="TD", hues=hues
        )
        files[f"flows/{entry.page}.drawing.html"] = f"{drawing}\n"
    files["index.html"] = _index(catalog, hues, groups, cards)
    files["map.html"] = _map(catalog)
    return {name: text.encode() for name, text in files.items()}


def _index(
    catalog: Catalog,
    hues: Hues,
    groups: Mapping[str, str],
    cards: Mapping[str, str],
) -> str:
    members: dict[str, list[FlowEntry]] = {}
    for entry in catalog.entries:
        members.setdefault(groups[entry.name], []).append(entry)
    return _page(
        catalog.title,
        [
            f"<h1>{_text(catalog.title)}</h1>",
            f'<p class="about">{_counts(catalog)} ·',
            '<a href="map.html">Map of the system</a></p>',
            _SEARCH,
            '<div class="groups">',
            *(
                _group(name, entries, hues, cards, is_named=len(members) > 1)
                for name, entries in sorted(
                    members.items(), key=lambda one: by_name(one[0])
                )
            ),
            "</div>",
        ],
        script=_asset("catalog.js"),
    )


def _counts(catalog: Catalog) -> str:
    entries = catalog.entries
    links = sum(len({link.flow for link in one.leads_to}) for one in entries)
    steps = sum(len(one.steps) for one in entries)
    counts = [_plural(len(entries), "flow"), _plural(steps, "step")]
    if links:
        counts.append(f"{_plural(links, 'link')} between flows")
    return ", ".join(counts)


def _group(
    name: str,
    entries: Sequence[FlowEntry],
    hues: Hues,
    cards: Mapping[str, str],
    *,
    is_named: bool,
) -> str:
    hue = hues[entries[0].name]
    count = f"<small>{_plural(len(entries), 'flow')}</small>"
    heading = f"<h2>{_name(name or 'no name')} {count}</h2>" if is_named else ""
    listed = "\n".join(cards[one.name] for one in entries)
    return f'<section class="group hue-{hue}">{heading}<ul>{listed}</ul></section>'


def _card(entry: FlowEntry, hues: Hues, group: str) -> str:
    """Return a flow of the index, with the words for the search in an attribute."""
    about = "".join(f"<p>{_text(one)}</p>" for one in entry.descriptions)
    tags = f"<p>{_tags(entry.tags, '')}</p>" if entry.tags else ""
    return (
        f'<li class="entry" data-words="{_text(_words(entry))}">'
        f'<div class="thumbnail">{draw_thumbnail(entry.graph, hues)}</div>'
        f'<h3><a href="flows/{entry.page}.html">{_name(entry.name)}</a></h3>'
        f'{about}<p class="about">{" · ".join(_meta(entry, group))}</p>{tags}</li>'
    )


def _words(entry: FlowEntry) -> str:
    words = [entry.name, *entry.owners, *entry.services, *entry.descriptions]
    words += entry.tags
    for one in entry.steps:
        words += [one.node.step.name, *one.node.step.tags]
    return " ".join(words)


def _meta(entry: FlowEntry, group: str) -> Iterator[str]:
    yield from (_name(one) for one in entry.owners if one != group)
    yield _plural(len(entry.steps), "step")
    for word, links in (("runs after", entry.runs_after), ("leads to", entry.leads_to)):
        if names := ", ".join(map(_name, dict.fromkeys(one.flow for one in links))):
            yield f"{word} {names}"


def _map(catalog: Catalog) -> str:
    drawing = draw_linked(
        catalog.overview,
        lambda node: (
            f"flows/{page_name(node.step.flow)}.html" if node.kind == "flow" else ""
        ),
    )
    return _page(
        "Map of the system",
        [
            '<nav><a href="index.html">All flows</a></nav>',
            "<h1>Map of the system</h1>",
            f'<p class="about">{MAP_LEGEND}</p>',
            _drawing("Map of the system", drawing),
        ],
    )


def _flow(entry: FlowEntry, hues: Hues) -> str:
    anchors = {one.node.step.name: one.anchor for one in entry.steps}
    drawing = draw_linked(
        entry.graph,
        lambda node: f"#{anchors[node.step.name]}" if node.kind == "step" else "",
        hues=hues,
        detail=entry.is_detailed,
        has_header=False,
    )
    name = f"{entry.page}.drawing.html"
    larger = f'<p><a href="{name}">Open the interactive diagram</a></p>'
    services = " ".join(
        f'<span class="service">{_name(one)}</span>' for one in entry.services
    )
    entrypoints = ", ".join(_name(one.node.label) for one in entry.entrypoints)
    return _page(
        entry.name,
        [
            '<nav><a href="../index.html">All flows</a>',
            '<a href="../map.html">Map of the system</a></nav>',
            f'<header class="hue-{hues[entry.name]}">{services}',
            f"<h1>{_name(entry.name)}</h1></header>",
            *(f"<p>{_text(one)}</p>" for one in entry.descriptions),
            _facts(
                ("Owner", ", ".join(map(_name, entry.owners))),
                ("Tags", _tags(entry.tags, "../")),
                ("Entrypoints", entrypoints),
                ("Steps", str(len(entry.steps))),
                ("Runs after", _links(entry.runs_after)),
                ("Leads to", _links(entry.leads_to)),
            ),
            _drawing(f"Diagram of {entry.name}", drawing),
            larger,
            "<h2>Steps</h2>",
            *(_step(one, entry) for one in entry.steps),
        ],
    )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _step(one: StepEntry, entry: FlowEntry) -> str:
    step = one.node.step
    # Name the services only if they are not those of the whole flow.
    services = one.node.services if one.node.services != entry.services else ()
    kind = ' <span class="entrypoint">entrypoint</span>' if step.is_entrypoint else ""
    doc = f"<pre>{_text(step.doc)}</pre>" if step.doc else ""
    facts = _facts(
        ("Service", ", ".join(map(_name, services))),
        ("Source", _source(one)),
        ("Tags", _tags(step.tags, "../")),
        ("Runs after", _links(one.before)),
        ("Leads to", _links(one.after)),
    )
    heading = f"<h3>{_name(step.name)}{kind}</h3>"
    return f'<section class="step" id="{one.anchor}">{heading}{doc}{facts}</section>'


def _source(one: StepEntry) -> str:
    place = _text(one.place) if one.place else ""
    return f'<a href="{_text(one.link)}">{place}</a>' if one.link else place


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
    style = f"{page_style()}\n{colour_variables()}\n{_asset('catalog.css')}"
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
