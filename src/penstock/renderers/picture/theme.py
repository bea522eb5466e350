"""The colours of pictures: one table, written as CSS for light, dark or both."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from penstock._platform.json_fields import JsonObject
from penstock._platform.pyproject import TABLE, faults_of, find_table
from penstock.errors import did_you_mean

from .type import FONTS, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from penstock._types import FlowInfo

Theme = Literal["light", "dark", "both", "page"]
"""Literal colours, those of a file that suits both, or those of a page of ours."""


class Pair(NamedTuple):
    """A colour on a light page, and on a dark one."""

    light: str
    dark: str


class Hue(NamedTuple):
    """The two shades that tell services apart: for text and lines, and for fills."""

    strong: Pair
    tint: Pair


PAGE = Pair("#ffffff", "#0d1117")
CARD = Pair("#ffffff", "#161b22")
FRAME = Pair("#f6f8fa", "#11161d")
RIM = Pair("#d0d7de", "#30363d")
PILL = Pair("#eef1f4", "#232a33")
INK = Pair("#1f2328", "#e6edf3")
QUIET = Pair("#59636e", "#9198a1")
LINE = Pair("#818b98", "#6e7681")
WRONG = Pair("#b42318", "#ff8a7a")
HUES = {
    "blue": Hue(Pair("#0860b5", "#79b8ff"), Pair("#ddebfb", "#12263f")),
    "orange": Hue(Pair("#9a4a00", "#f2a65a"), Pair("#fdecd8", "#3a240f")),
    "teal": Hue(Pair("#0b6e62", "#4fd1bf"), Pair("#d8f3ee", "#0e302c")),
    "purple": Hue(Pair("#6639ba", "#bf9df8"), Pair("#efe8fc", "#2a1d46")),
    "pink": Hue(Pair("#a8246e", "#f58fc2"), Pair("#fde7f2", "#3d1830")),
    "green": Hue(Pair("#46700d", "#a2cf5b"), Pair("#eaf5d9", "#22310f")),
    "brown": Hue(Pair("#7d4a2d", "#dba684"), Pair("#f6e9e1", "#33231a")),
    "slate": Hue(Pair("#45566e", "#a8b9d0"), Pair("#e6ecf3", "#1e2733")),
}
HEAT = tuple(
    map(
        Pair,
        ("#e8f1fa", "#bcd7f0", "#7fb2de", "#3b83c0", "#0b5394"),
        ("#13263a", "#1d4468", "#2f6ca3", "#5b9fdb", "#a5d3ff"),
    )
)
_COLOURS: tuple[tuple[str, str, Pair], ...] = (
    (".page", "fill", PAGE),
    (".card", "fill", CARD),
    (".card,.frame", "stroke", RIM),
    (".frame,.framed", "fill", FRAME),
    (".pill", "fill", PILL),
    (".ink", "fill", INK),
    (".quiet,.bar", "fill", QUIET),
    (".on-bar", "fill", PAGE),
    (".on-bar-line", "stroke", PAGE),
    (".icon", "stroke", QUIET),
    (".line,.external .card", "stroke", LINE),
    (".head", "fill", LINE),
    (".wrong", "fill", WRONG),
    (".wrong-line", "stroke", WRONG),
    *(
        (f".{name}{suffix}", kind, shade)
        for name, hue in HUES.items()
        for suffix, kind, shade in (
            ("", "fill", hue.strong),
            ("-tint", "fill", hue.tint),
            ("-line", "stroke", hue.strong),
        )
    ),
    *((f".heat-{at}", "fill", shade) for at, shade in enumerate(HEAT)),
)
_SHAPES = (
    "text{font-weight:400}",
    ".bold{font-weight:600}",
    ".line,.icon{fill:none;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}",
    ".outer{stroke-width:2}",
    ".crossing .line{stroke-dasharray:5 4}",
    ".seen .line{stroke-width:2.25}",
    ".declared-only .line{stroke-width:2;stroke-dasharray:.1 5}",
    ".contradicted .line{stroke-width:3}",
    ".undeclared .line{stroke-width:2.5;stroke-dasharray:.1 5}",
    ".cross{stroke-width:2}",
    ".external .card{stroke-dasharray:4 3}",
)
_GUESS = ".guess .line{stroke-width:2;stroke-dasharray:.1 5}"  # only in drafts
_NAME = re.compile(r"\.([\w-]+)")


def style_of(theme: Theme, used: Iterable[str]) -> str:
    """Return the CSS of a picture with the classes *used*."""
    known = frozenset(used)
    rules = [
        (_scoped(selector), kind, pair)
        for selector, kind, pair in _COLOURS
        if known.intersection(_NAME.findall(selector))
    ]
    shapes = (
        f"{_scoped(selector)}{{{rest}"
        for selector, rest in (
            one.split("{")
            for one in (*_SHAPES, *([_GUESS] if "guess" in known else []))
        )
    )
    lines = [*shapes, *_written(rules, _VALUES[theme])]
    if theme == "both":
        dark = "".join(_written(rules, _VALUES["dark"]))
        lines.append(f"@media(prefers-color-scheme:dark){{{dark}}}")
        rims = _scoped(".card,.frame")
        for query, value in (
            ("", LINE.light),
            (" and (prefers-color-scheme:dark)", LINE.dark),
        ):
            lines.append(
                f"@media(prefers-contrast:more){query}{{{rims}{{stroke:{value}}}}}"
            )
    return "\n".join(lines)


def page_style(theme: Theme = "page") -> str:
    """Return the CSS of all pictures for a page of ours, with the font inside."""
    used = {name for selector, _, _ in _COLOURS for name in _NAME.findall(selector)}
    return f"{font_faces()}\n{style_of(theme, used)}"


@cache
def font_faces() -> str:
    """Return the CSS with the font inside, for programs that load nothing."""
    return "\n".join(
        f"@font-face{{font-family:'Penstock Sans';font-weight:{weight};"
        f"src:url(data:font/woff2;base64,{_encoded(weight)})format('woff2')}}"
        for weight in WEIGHTS
    )


def hues_of(flows: Sequence[FlowInfo]) -> dict[str, str]:
    """Return the hue of each flow: by service, or by owner in a single service."""
    groups = groups_of(flows)
    pinned = _pinned_hues()
    hues: dict[str, str] = {}
    for flow in flows:
        group = groups[flow.name]
        for name in (group,) if group else (flow.service, flow.owner):
            if name in pinned:
                hues.setdefault(group, pinned[name])
    others = sorted(set(groups.values()) - hues.keys(), key=by_name)
    free = [hue for hue in HUES if hue not in hues.values()]
    hues |= dict(zip(others, cycle(free or HUES)))
    return {flow: hues[group] for flow, group in groups.items()}


def read_hues(settings: JsonObject) -> dict[str, str]:
    """Return the hues of services and owners in the settings of a project.

    Raises:
        ValueError: There is no such hue.
    """
    fields = JsonObject(settings.values("colors"), f"{TABLE}.colors")
    colors = {name: fields.text(name) for name in fields.keys}
    for name, color in colors.items():
        if color not in HUES:
            problem = (
                f"{TABLE}.colors has no color {color!r} for {name!r}."
                f"{did_you_mean(color, HUES)} Colors are: {', '.join(HUES)}."
            )
            raise ValueError(problem)
    return colors


def _pinned_hues() -> dict[str, str]:
    """Return the hues that the project of this folder gives to services and owners."""
    found = find_table(Path.cwd())
    if not found:
        return {}
    path, settings = found
    with faults_of(path):
        return read_hues(settings)


def groups_of(flows: Sequence[FlowInfo]) -> dict[str, str]:
    """Return for each flow what its hue stands for, ``""`` if for nothing."""
    services = {flow.name: flow.service for flow in reversed(flows)}
    owners = {flow.name: flow.owner for flow in reversed(flows)}
    if 1 < len({*services.values()}) <= len(HUES):
        return services
    return owners if len({*owners.values()}) > 1 else dict.fromkeys(services, "")


def by_name(name: str) -> tuple[bool, str]:
    """Return a key that sorts names, those that are empty last."""
    return not name, name


def _written(
    rules: Iterable[tuple[str, str, Pair]], value: Callable[[Pair], str]
) -> Iterator[str]:
    return (f"{selector}{{{kind}:{value(pair)}}}" for selector, kind, pair in rules)


_VALUES: dict[Theme, Callable[[Pair], str]] = {
    "light": lambda pair: pair.light,
    "dark": lambda pair: pair.dark,
    "both": lambda pair: pair.light,
    "page": lambda pair: f"light-dark({pair.light},{pair.dark})",
}


def _scoped(selector: str) -> str:
    return ",".join(f".penstock {one}" for one in selector.split(","))


def _encoded(weight: int) -> str:
    return b64encode((FONTS / f"{weight}.woff2").read_bytes()).decode()
