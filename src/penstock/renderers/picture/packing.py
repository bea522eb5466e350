"""Pack rectangles onto a page."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTHS, _WORK = 60, 6_000  # tries, and their number times that of rectangles
_WANTED, _LEAST, _MOST = 4 / 3, 0.7, 1.5  # width to height


class Packed(NamedTuple):
    """Where rectangles are, and how large everything is."""

    places: list[tuple[float, float]]
    width: float
    height: float


def pack(sizes: Sequence[tuple[float, float]], gap: float) -> Packed:
    """Place rectangles in the given order, each as high and as far left as it fits.

    Of sixty widths of the page, the one with the least waste is taken.
    """
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    widest = max((width for width, _ in sizes), default=0.0)
    tries = max(8, min(_WIDTHS, _WORK // max(len(sizes), 1)))
    tried = (
        max(widest, (0.5 + 1.2 * at / (tries - 1)) * sqrt(area * _WANTED))
        for at in range(tries)
    )
    packed = (_pack_into(sizes, width, gap) for width in dict.fromkeys(tried))
    return min(packed, key=lambda one: _cost(one, area))


def _cost(packed: Packed, area: float) -> tuple[bool, float, float]:
    if not area:
        return False, 0.0, 0.0
    ratio = packed.width / packed.height
    waste = packed.width * packed.height / area
    return not _LEAST <= ratio <= _MOST, round(waste, 2), abs(log(ratio / _WANTED))


def _pack_into(
    sizes: Sequence[tuple[float, float]], width: float, gap: float
) -> Packed:
    """Place rectangles on a skyline: steps, each with its left end and its depth."""
    skyline = [(0.0, 0.0)]
    places = []
    for wide, high in sizes:
        x, y = _spot(skyline, wide, gap, width)
        places.append((x, y))
        skyline = _raised(skyline, x, x + wide + gap, y + high + gap)
    right = max(
        (x + wide for (x, _), (wide, _) in zip(places, sizes, strict=True)), default=0.0
    )
    bottom = max(
        (y + high for (_, y), (_, high) in zip(places, sizes, strict=True)), default=0.0
    )
    return Packed(places, right, bottom)


def _spot(
    skyline: list[tuple[float, float]], wide: float, gap: float, width: float
) -> tuple[float, float]:
    best = (inf, inf)  # y and x
    for at, (x, _) in enumerate(skyline):
        if x + wide > width + 0.01:
            break
        y = 0.0
        for left, depth in skyline[at:]:
            if left >= x + wide + gap:
                break
            y = max(y, depth)
            if y > best[0]:
                break
        best = min(best, (y, x))
    return best[1], best[0]


def _raised(
    skyline: list[tuple[float, float]], left: float, right: float, depth: float
) -> list[tuple[float, float]]:
    """Return the skyline with everything between *left* and *right* at *depth*."""
    after = next((old for x, old in reversed(skyline) if x <= right), 0.0)
    kept = [step for step in skyline if step[0] < left]
    rest = [step for step in skyline if step[0] > right]
    return [*kept, (left, depth), (right, after), *rest]
