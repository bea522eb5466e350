"""Draw a graph as a picture: SVG or PNG, laid out by Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from penstock._platform.optional import requires
from penstock.errors import RenderError
from penstock.renderers.dot import render_dot
from penstock.renderers.text_fit import fit_text
from penstock.renderers.text_metrics import is_plain
from penstock.renderers.warnings import warn_caller

from .fonts import choose_faces, missing_from, runs
from .graphviz import find_graphviz
from .svg import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock._graph.graph import Graph
    from penstock.renderers.formats import Direction

    from .font_file import Face
    from .graphviz import Graphviz

_DPI = 144
_SVG_DPI = 96  # in which SVG's points become pixels
_POINTS_PER_INCH = 72
# Browsers and viewers open pictures up to about this size; cairo up to 32,767.
_MAX_SIDE = 16_000
_MAX_PIXELS = 80_000_000
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_MAX_LISTED = 10


def render_svg(
    graph: Graph, *, detail: bool, direction: Direction, has_legend: bool = True
) -> str:
    """Return an SVG of *graph*, without a newline at the end.

    Raises:
        MissingExtraError: Neither the extra ``draw`` nor Graphviz is installed.
        RenderError: Graphviz failed.
    """
    dot = render_dot(
        graph, detail=detail, direction=direction, fit=fit_text, has_legend=has_legend
    )
    return str(_picture(find_graphviz(), dot, graph))


def render_png(graph: Graph, *, detail: bool, direction: Direction) -> bytes:
    """Return a PNG of *graph*.

    Warns about characters that no font on this machine has.

    Raises:
        MissingExtraError: Neither the extra ``draw`` nor Graphviz is installed.
        RenderError: Graphviz failed, or the picture would be too large to open.
    """
    engine = find_graphviz()
    dot = render_dot(graph, detail=detail, direction=direction, fit=fit_text)
    picture = _picture(engine, dot, graph)
    _check_size(picture)
    text = frozenset("".join(element.text or "" for element in picture.texts()))
    faces = {} if all(map(is_plain, text)) else _faces_of(text)
    if engine.has_own_fonts and not all(map(is_plain, faces)):
        painted = _painted(picture, faces)
        if painted is not None:
            return painted
    png = engine.draw(dot, "png", f"-Gdpi={_DPI}")
    if not (png.startswith(_PNG_START) and png.endswith(_PNG_END)):
        raise engine.wrong_output(form="PNG")
    return png


def _picture(engine: Graphviz, dot: str, graph: Graph) -> Picture:
    try:
        return Picture(engine.draw(dot, "svg"), graph)
    except (ValueError, KeyError) as exc:
        raise engine.wrong_output(form="SVG") from exc


def _check_size(picture: Picture) -> None:
    width, height = (round(side * _DPI / _POINTS_PER_INCH) for side in picture.size_pt)
    if max(width, height) > _MAX_SIDE or width * height > _MAX_PIXELS:
        msg = (
            f"the picture would have {width:,} × {height:,} pixels, too many for most "
            "programs and readers. Draw fewer flows at a time, an overview "
            "(overview=True, or --overview), without detail, in another direction, or "
            "as svg."
        )
        raise RenderError(msg)


def _faces_of(text: frozenset[str]) -> dict[str, Face]:
    faces = choose_faces(text)
    if any(is_plain(char) and not char.isspace() for char in text - {*faces}):
        faces = {}  # without a Latin font, a font for one script does not help
    missing = missing_from(text, faces)
    if missing:
        listed = " ".join(
            f"{char} (U+{ord(char):04X})" for char in missing[:_MAX_LISTED]
        )
        more = " and others" if len(missing) > _MAX_LISTED else ""
        warn_caller(
            f"no font on this machine has {listed}{more}, so the picture shows boxes "
            "instead. Install a Noto font that has them, or draw as svg."
        )
    return faces


def _painted(picture: Picture, faces: Mapping[str, Face]) -> bytes | None:
    """Return the picture with each character in its font, None on failure."""
    # Here, because only letters other than Latin, Greek and Cyrillic need it, and
    # because Graphviz's own `dot` does not.
    with requires("resvg_py", extra="draw"):
        import resvg_py  # noqa: PLC0415  # see above

    for element in picture.texts():
        line, element.text = element.text or "", None
        for part, face in runs(line, faces):
            span = ET.SubElement(element, "tspan")
            span.text = part
            if face is not None:
                span.set("font-family", f"'{face.family}'")
    try:
        return resvg_py.svg_to_bytes(
            svg_string=str(picture),
            dpi=_SVG_DPI,
            zoom=_DPI / _SVG_DPI,
            skip_system_fonts=True,
            font_files=sorted({str(face.path) for face in faces.values()}),
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as exc:  # noqa: BLE001  # a panic in Rust is not an Exception
        warn_caller(
            f"resvg failed ({exc}), so letters that are not Latin, Greek or Cyrillic "
            "are boxes. Draw as svg to see them."
        )
        return None
