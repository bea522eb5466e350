"""Fonts, and parsers of pictures."""

from __future__ import annotations

import io
import re
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

from penstock.renderers.picture.type import Style, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["Box", "Segment", "Svg", "box_of", "make_font", "needs_draw", "pixels"]

needs_draw = pytest.mark.skipif(find_spec("resvg_py") is None, reason="needs draw")

_SVG = "{http://www.w3.org/2000/svg}"


class Box(NamedTuple):
    """A rectangle, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: Box, slack: float = 0.1) -> bool:
        """Return whether *other* is inside."""
        return (
            self.left <= other.left + slack
            and self.top <= other.top + slack
            and self.right >= other.right - slack
            and self.bottom >= other.bottom - slack
        )

    def meets(self, other: Box, slack: float = 0.1) -> bool:
        """Return whether the two share an area."""
        return (
            self.left < other.right - slack
            and other.left < self.right - slack
            and self.top < other.bottom - slack
            and other.top < self.bottom - slack
        )


Segment = tuple[float, float, float, float]


class Svg:
    """An SVG as an XML parser sees it."""

    def __init__(self, text: str) -> None:
        self.root = ET.fromstring(text)  # noqa: S314  # our own
        self.groups = {one.get("id", ""): one for one in self.root.iter(f"{_SVG}g")}

    @property
    def size(self) -> Box:
        """The whole picture."""
        return Box(*map(float, self.root.attrib["viewBox"].split()))

    def of_class(self, name: str) -> dict[str, ET.Element]:
        """Return the groups of a class, by id."""
        return {
            key: one
            for key, one in self.groups.items()
            if key and name in one.get("class", "").split()
        }

    def steps(self) -> list[tuple[str, str]]:
        """Return flow and name of each step, sorted."""
        nodes = self.of_class("node").values()
        return sorted(
            (one.attrib["data-flow"], one.attrib["data-step"]) for one in nodes
        )

    def edges(self) -> list[tuple[str, str]]:
        """Return the names of the steps at both ends of each edge, sorted."""
        return sorted(
            (
                self.groups[one.attrib["data-before"]].attrib["data-step"],
                self.groups[one.attrib["data-after"]].attrib["data-step"],
            )
            for one in self.of_class("edge").values()
        )

    def lines(self, part: str) -> list[str]:
        """Return the texts of a part."""
        return [one.text or "" for one in self.groups[part].iter(f"{_SVG}text")]

    def box(self, part: str) -> Box:
        """Return the rectangle of a step, a flow or a label."""
        kinds = {"card", "frame"}
        return next(
            box_of(one)
            for one in self.groups[part].iter(f"{_SVG}rect")
            if kinds & {*one.attrib["class"].split()}
        )

    def bars(self, part: str) -> list[Box]:
        """Return the bars that join lines above a step."""
        found = self.groups[part].iter(f"{_SVG}rect")
        return [box_of(one) for one in found if one.get("class") == "bar"]

    def texts(self, part: ET.Element) -> list[tuple[str, Box]]:
        """Return the texts of a part, with the place that each takes."""
        return [
            (one.text or "", _text_box(one, "bold" in one.attrib["class"]))
            for one in part.iter(f"{_SVG}text")
        ]

    def segments(self, edge: str) -> list[list[Segment]]:
        """Return the straight pieces of each line of an edge, with sharp corners."""
        paths = self.groups[edge].iter(f"{_SVG}path")
        return [
            _segments(one.attrib["d"])
            for one in paths
            if "line" in one.attrib["class"].split()
        ]

    def tips(self, edge: str) -> list[tuple[float, float]]:
        """Return where the heads of an edge point."""
        heads = [
            one.attrib["d"]
            for one in self.groups[edge].iter(f"{_SVG}path")
            if "head" in one.attrib["class"].split()
        ]
        return [_point(re.findall(_NUMBER, way)) for way in heads]


_NUMBER = r"-?\d+\.?\d*"


def box_of(rectangle: ET.Element) -> Box:
    """Return the place of a ``<rect>``."""
    x, y, width, height = (
        float(rectangle.attrib[key]) for key in ("x", "y", "width", "height")
    )
    return Box(x, y, x + width, y + height)


def _text_box(element: ET.Element, is_bold: bool) -> Box:  # noqa: FBT001  # private
    size = float(element.attrib["font-size"])
    style = Style(size, 600 if is_bold else 400, "")
    width = text_width(element.text or "", style)
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    if element.get("text-anchor") == "middle":
        x -= width / 2
    return Box(x, y - 0.73 * size, x + width, y + 0.2 * size)


def _point(numbers: Sequence[str]) -> tuple[float, float]:
    return float(numbers[0]), float(numbers[1])


def _segments(way: str) -> list[Segment]:
    """Return the straight pieces of a path; a curve counts as its corner."""
    points = []
    for command, rest in re.findall(r"([MLQ])([^MLQ]*)", way):
        numbers = re.findall(_NUMBER, rest)
        if command != "Q":
            points.append(_point(numbers))
        else:
            points[-1] = _point(numbers)
    return [(*one, *other) for one, other in pairwise(points)]


def pixels(png: bytes) -> Any:
    """Return the picture on a white background."""
    image = pytest.importorskip("PIL.Image", reason="needs pillow")
    with image.open(io.BytesIO(png)) as picture:
        picture.load()
        over = image.new("RGBA", picture.size, "white")
        over.alpha_composite(picture.convert("RGBA"))
        found = over.convert("RGB")
        found.info = dict(picture.info)
        return found


def make_font(path: Path, family: str, glyphs: Iterable[str], *, high: int) -> None:
    """Write a font in which each of *glyphs* is a bar, *high* thousandths of an em."""
    builder = pytest.importorskip("fontTools.fontBuilder", reason="needs fonttools")
    pen = pytest.importorskip("fontTools.pens.ttGlyphPen", reason="needs fonttools")
    glyph_of = {ord(char): f"u{ord(char):X}" for char in glyphs}
    order = [".notdef", *glyph_of.values()]
    font = builder.FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(order)
    font.setupCharacterMap(glyph_of)
    bar = pen.TTGlyphPen(None)
    for at, point in enumerate([(100, 0), (100, high), (900, high), (900, 0)]):
        (bar.lineTo if at else bar.moveTo)(point)
    bar.closePath()
    bar = bar.glyph()
    font.setupGlyf(dict.fromkeys(order, bar))
    font.setupHorizontalMetrics(dict.fromkeys(order, (1000, 100)))
    font.setupHorizontalHeader(ascent=900, descent=-200)
    names = {"familyName": family, "styleName": "Regular", "psName": path.stem}
    font.setupNameTable(names)
    font.setupOS2()
    font.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(str(path))
