"""Draw a graph as PNG: the SVG, painted by resvg."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from unicodedata import category
from xml.sax.saxutils import escape, unescape

from penstock._platform.optional import requires
from penstock.errors import RenderError
from penstock.renderers.warnings import warn_caller

from .svg import draw_svg
from .type import FAMILIES, FONTS, WEIGHTS, is_in_font

with requires("resvg_py", extra="draw"):
    import resvg_py

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._graph.graph import Graph
    from penstock.renderers.formats import Direction

_SCALE = 2  # for screens with small pixels
# Browsers and viewers open pictures up to about this size.
_MAX_SIDE = 16_000
_MAX_PIXELS = 80_000_000
_MAX_LISTED = 10
_MAX_TRIED = 100  # characters; each takes 20 ms
_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")
_SIDE = re.compile(r'(?:width|height)="(\d+)"')
_OTHER_FAMILIES = (
    "Inter,'Noto Sans','Segoe UI','Helvetica Neue','DejaVu Sans',Arial,sans-serif"
)
_NO_CHARACTER = "\U0010fffd"
_INVISIBLE = ("Cc", "Cf", "Me", "Mn", "Zs")


def render_png(
    graph: Graph,
    *,
    detail: bool,
    direction: Direction,
    theme: Literal["light", "dark"] = "light",
) -> bytes:
    """Return a PNG of *graph* on a light or a dark page.

    Warns about characters that no font on this machine has.

    Raises:
        RenderError: The picture would be too large to open.
    """
    svg = draw_svg(graph, detail=detail, direction=direction, theme=theme)
    _check_size(svg)
    texts = "".join(unescape(found) for found in _TEXT.findall(svg))
    if is_in_font(texts):
        return _painted(svg, has_more_fonts=False)
    missing = list(_missing(texts))
    if missing:
        listed = " ".join(
            f"{char} (U+{ord(char):04X})" for char in missing[:_MAX_LISTED]
        )
        more = " and others" if len(missing) > _MAX_LISTED else ""
        warn_caller(
            f"no font on this machine has {listed}{more}, so the picture shows boxes "
            "instead. Install a Noto font that has them, or draw as svg."
        )
    return _painted(_TEXT.sub(_in_other_font, svg), has_more_fonts=True)


def _in_other_font(text: re.Match[str]) -> str:
    """Return a text in a font with more letters, if it needs one.

    resvg takes letters that a font does not have from any other, serif or not.
    """
    if is_in_font(unescape(text[1])):
        return text[0]
    return text[0].replace("<text ", f'<text font-family="{_OTHER_FAMILIES}" ', 1)


def _check_size(svg: str) -> None:
    width, height = (_SCALE * int(side) for side in _SIDE.findall(svg[:400])[:2])
    if max(width, height) > _MAX_SIDE or width * height > _MAX_PIXELS:
        msg = (
            f"the picture would have {width:,} × {height:,} pixels, too many for most "
            "programs and readers. Draw fewer flows at a time, an overview "
            "(overview=True, or --overview), without detail, in another direction, or "
            "as svg."
        )
        raise RenderError(msg)


def _missing(texts: str) -> Iterator[str]:
    """Yield the characters that look like one that no font has."""
    unsure = sorted(char for char in {*texts} if not is_in_font(char))
    box = _sample(_NO_CHARACTER)
    for char in unsure[:_MAX_TRIED]:
        if category(char) not in _INVISIBLE and _sample(char) == box:
            yield char


def _sample(char: str) -> bytes:
    size = 'xmlns="http://www.w3.org/2000/svg" width="20" height="20"'
    text = f'<text y="15" font-size="14">{escape(char)}</text>'
    return _painted(
        f'<svg {size} font-family="{FAMILIES}">{text}</svg>', has_more_fonts=True
    )


def _painted(svg: str, *, has_more_fonts: bool) -> bytes:
    """Return an SVG as PNG; *has_more_fonts* adds those of the machine to ours."""
    try:
        return resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=_SCALE,
            skip_system_fonts=not has_more_fonts,
            font_files=[str(FONTS / f"{weight}.ttf") for weight in WEIGHTS],
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as exc:  # a panic in Rust is not an Exception
        msg = f"resvg failed: {exc}. Draw as svg instead."
        raise RenderError(msg) from exc
