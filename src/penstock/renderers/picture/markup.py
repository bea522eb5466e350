"""Write SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .type import is_measured, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .placement import Point
    from .type import Style

CORNER = 8.0
_BEFORE_TIP = 5.0
_CLASS = re.compile(r'class="([^"]*)"')


def element(name: str, attributes: Mapping[str, object], *inside: str) -> str:
    """Return an element; attributes without a value are left out."""
    written = "".join(
        f' {key}="{_value(value)}"'
        for key, value in attributes.items()
        if value not in (None, "")
    )
    if not inside:
        return f"<{name}{written}/>"
    return f"<{name}{written}>{''.join(inside)}</{name}>"


def title(text: str) -> str:
    """Return the words that a program shows or says for an element."""
    return f"<title>{escape(text)}</title>"


def text(content: str, at: Point, style: Style, *, is_centred: bool = False) -> str:
    """Return a line of text, as wide as it was measured in any font."""
    wide = text_width(content, style)
    is_known = is_measured(content)
    x, y = at
    attributes = {
        "class": f"{style.colour} bold" if style.is_bold else style.colour,
        "x": x - wide / 2 if is_centred and is_known else x,
        "y": y,
        "font-size": style.size,
        "text-anchor": "middle" if is_centred and not is_known else None,
        "textLength": wide if is_known and content.strip() else None,
        "lengthAdjust": "spacingAndGlyphs" if is_known and content.strip() else None,
    }
    return element("text", attributes, escape(content))


def rectangle(
    kind: str,
    x: float,
    y: float,
    width: float,
    height: float,
    radius: float = 0,
    **more: object,
) -> str:
    """Return a rectangle of the classes *kind*."""
    attributes = {
        "class": kind, "x": x, "y": y, "width": width, "height": height,
        "rx": radius, **{key.replace("_", "-"): value for key, value in more.items()},
    }  # fmt: skip
    return element("rect", attributes)


def path(kind: str, way: str, **more: object) -> str:
    """Return a path of the classes *kind*."""
    return element("path", {"class": kind, "d": way, **more})


def line_way(points: Sequence[Point]) -> str:
    """Return the way of a line along *points*, with round corners, short of its tip."""
    *begin, (last_x, last_y), (x, y) = points
    dx, dy = _direction((last_x, last_y), (x, y))
    points = [*begin, (last_x, last_y), (x - dx * _BEFORE_TIP, y - dy * _BEFORE_TIP)]
    parts = [f"M{_number(points[0][0])} {_number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(
            CORNER, _distance(before, corner) / 2, _distance(corner, after) / 2
        )
        one, other = _direction(corner, before), _direction(corner, after)
        start = corner[0] + one[0] * radius, corner[1] + one[1] * radius
        end = corner[0] + other[0] * radius, corner[1] + other[1] * radius
        parts.append(f"L{_pair(start)}Q{_pair(corner)} {_pair(end)}")
    return "".join((*parts, f"L{_pair(points[-1])}"))


def head_way(points: Sequence[Point]) -> str:
    """Return the way of the head at the end of a line."""
    dx, dy = _direction(points[-2], points[-1])
    across_x, across_y = dy, -dx  # a quarter turn
    corner = -8 * dx - 4.5 * across_x, -8 * dy - 4.5 * across_y
    control = 2 * dx + 4.5 * across_x, 2 * dy + 4.5 * across_y
    end = 9 * across_x, 9 * across_y
    return f"M{_pair(points[-1])}l{_pair(corner)}q{_pair(control)} {_pair(end)}z"


def classes_in(parts: Iterable[str]) -> set[str]:
    """Return all classes that *parts* use."""
    return {
        one for part in parts for names in _CLASS.findall(part) for one in names.split()
    }


def _direction(one: Point, other: Point) -> tuple[int, int]:
    dx, dy = other[0] - one[0], other[1] - one[1]
    if abs(dx) > abs(dy):
        return (1 if dx > 0 else -1), 0
    return 0, (1 if dy > 0 else -1)


def _distance(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _pair(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")  # + 0.0: no minus zero


def _value(value: object) -> str:
    if isinstance(value, float | int):
        return _number(value)
    return escape(str(value), {'"': "&quot;", "\n": "&#10;"})
