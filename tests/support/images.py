"""Fonts, programs that fail to draw, and parsers of pictures."""

from __future__ import annotations

import importlib
import io
import re
import sysconfig
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Svg", "make_font", "needs_draw", "pixels", "use_engine", "without_wheel"]

needs_draw = pytest.mark.skipif(find_spec("resvg_py") is None, reason="needs draw")

_SVG = "{http://www.w3.org/2000/svg}"


class Box(NamedTuple):
    """The place of a part, in pixels at 144 dpi."""

    left: float
    top: float
    right: float
    bottom: float


class Svg:
    """An SVG as an XML parser sees it."""

    def __init__(self, text: str) -> None:
        self.root = ET.fromstring(text)  # noqa: S314  # our own
        self.groups = {one.get("id", ""): one for one in self.root.iter(f"{_SVG}g")}

    def of_class(self, name: str) -> dict[str, ET.Element]:
        """Return the groups of a class, by id."""
        return {
            key: one
            for key, one in self.groups.items()
            if name in one.get("class", "").split()
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

    def lines(self, node: str) -> list[str]:
        """Return the text in the box of a node."""
        return [one.text or "" for one in self.groups[node].iter(f"{_SVG}text")]

    def box(self, node: str) -> Box:
        """Return the position of a node's box."""
        (path,) = self.groups[node].iter(f"{_SVG}path")
        (whole,) = self.of_class("graph").values()
        moved = re.search(r"translate\(([\d.]+) ([\d.]+)\)", whole.attrib["transform"])
        assert moved
        numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", path.attrib["d"])]
        across = [2 * (x + float(moved[1])) for x in numbers[::2]]
        down = [2 * (y + float(moved[2])) for y in numbers[1::2]]
        return Box(min(across), min(down), max(across), max(down))


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


def without_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the wheel's program with a record that lists no program."""
    info = folder / "graphviz_pure-99.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: graphviz-pure\nVersion: 99\n"
    )
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(folder / "scripts"))
    return info


def use_engine(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Install a wheel whose program is a shell script."""
    info = without_wheel(folder, monkeypatch)
    program = folder / "graphviz-pure"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    (info / "RECORD").write_text("notes.txt,,\ngraphviz-pure,,\n")
    return program
