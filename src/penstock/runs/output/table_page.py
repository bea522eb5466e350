"""Write an HTML page with a table beside a picture, whose rows and cards are linked."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from string import Template
from typing import TYPE_CHECKING

from penstock.errors import plain
from penstock.renderers.html_assets import content_policy, read_asset
from penstock.renderers.picture.theme import page_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .header import Fact

__all__ = [
    "TablePage",
    "as_html",
    "asset",
    "picture_of",
    "section",
    "step_name",
    "text_of",
]


@dataclass(frozen=True, slots=True)
class TablePage:
    """What is on a page.

    Attributes:
        title: What its tab says.
        heading: The heading.
        marks: Pills beside the heading, each with its style.
        facts: Names, and the facts below them.
        picture: The picture with its legend, as HTML.
        head: The names of the columns, as HTML.
        rows: The rows, as HTML. One of the class ``row`` with the ID of a card as
            ``data-card`` is linked to it.
        rest: What is below the table, as HTML.
        style: CSS for this kind of page.
        script: JavaScript for this kind of page.
    """

    title: str
    heading: str
    marks: Iterable[Fact]
    facts: Iterable[tuple[str, Iterable[Fact]]]
    picture: str
    head: str
    rows: Iterable[str]
    rest: str = ""
    style: str = ""
    script: str = ""


def as_html(page: TablePage) -> str:
    """Return a page that loads no other files and needs no script to be read."""
    style = f"{page_style()}\n{asset('table_page.css')}\n{page.style}"
    script = f"{asset('table_page.js')}\n{page.script}".rstrip()
    return Template(asset("table_page.html")).substitute(
        policy=content_policy(style, script, "font-src data:"),
        style=style,
        script=script,
        title=text_of(page.title),
        heading=text_of(page.heading),
        marks=" ".join(_mark(*mark) for mark in page.marks),
        facts="\n".join(_facts(page.facts)),
        picture=page.picture,
        head=page.head,
        rows="\n".join(page.rows),
        rest=page.rest,
    )


def asset(name: str) -> str:
    """Return a style, a script or a template of this package."""
    return read_asset("penstock.runs.output", name)


def text_of(text: str) -> str:
    """Return text from a log as HTML, on one line and without control characters."""
    return escape(plain(text))


def step_name(flow: str, step: str) -> str:
    """Return the name of a step, and before it that of its flow, if there is one."""
    before = f'<span class="quiet">{text_of(flow)}/</span>' if flow else ""
    return f'<span class="label" dir="auto">{before}{text_of(step)}</span>'


def section(title: str, parts: Iterable[str]) -> str:
    """Return HTML under a heading; nothing if there is none."""
    inside = "\n".join(parts)
    return f"<section><h2>{title}</h2>\n{inside}\n</section>" if inside else ""


def picture_of(svg: str, samples: Iterable[tuple[str, str]] = ()) -> str:
    """Return a picture with its legend, of samples that look like their class."""
    if not svg:
        return ""
    entries = "".join(
        f'<li><i class="sample {kind}"></i>{words}</li>' for kind, words in samples
    )
    legend = f'\n<ul class="legend">{entries}</ul>' if entries else ""
    return f'<aside id="picture" aria-label="Picture">{svg}{legend}</aside>'


def _mark(text: str, style: str) -> str:
    return f'<span class="mark {style}">{text_of(text)}</span>'


def _facts(facts: Iterable[tuple[str, Iterable[Fact]]]) -> Iterator[str]:
    for name, about in facts:
        values = [
            f'<dd class="{style}" dir="auto">{text_of(text)}</dd>'
            for text, style in about
        ]
        if values:
            yield f'<div class="{name}"><dt>{name}</dt>{"".join(values)}</div>'
