"""Give the horizontal pieces of lines between two rows their tracks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Over = dict["Piece", dict["Piece", bool]]

SMALL_STEP = 24.0
"""A step that is not wider is straightened if its ends may move."""

_STRAIGHT = 1.01  # places are whole pixels, and may be rounded apart
_NEAR = 4.0  # two lines closer than this look like one
_APART = 8.0  # between two pieces of one track
_BESIDE = 14.0  # two corners closer than this are hard to tell apart
_NUDGES = tuple(sign * step for step in range(5, 14) for sign in (1, -1))
_INTO_CORNER = 4.0  # how much closer to a corner than other ends nudged ones may be


@dataclass(slots=True, eq=False)
class End:
    """Where a line crosses the border of a row.

    Attributes:
        x: Its place.
        low: The least place that it may move to; infinity for one that stays.
        high: The greatest such place.
        apart: The least distance from its neighbours.
        side: All ends of the same side of the same box, in order.
        is_straight: Whether a straight line begins or ends here, so that it stays.
    """

    x: float
    low: float = 0.0
    high: float = -1.0
    apart: float = 0.0
    side: list[End] = field(default_factory=list)
    is_straight: bool = False

    def moved(self, x: float, closer: float = 0.0) -> bool:
        """Move to *x*, and push others aside; return False if there is no room.

        Ends may come *closer* to each other, and to corners, than they should.
        """
        place = self.side.index(self) if self in self.side else 0
        places = {self: x}
        for others, sign in (self.side[:place][::-1], -1), (self.side[place + 1 :], 1):
            least = x
            for other in others:
                least += sign * (self.apart - closer)
                if sign * (other.x - least) < 0:
                    places[other] = least
        if any(
            one.is_straight or not one.low - closer <= at <= one.high + closer
            for one, at in places.items()
        ):
            return False
        for one, at in places.items():
            one.x = at
        return True


@dataclass(slots=True, eq=False)
class Piece:
    """A part of a line between two rows: down, across on a track, and down.

    Attributes:
        start: Where it begins, and whether that is at the row above.
        end: Where it ends, likewise.
        track: The number of its track, from the top.
    """

    start: End
    end: End
    starts_above: bool = True
    ends_above: bool = False
    track: int = 0

    @property
    def is_straight(self) -> bool:
        """Whether it needs no track."""
        return (
            abs(self.start.x - self.end.x) < _STRAIGHT
            and self.starts_above != self.ends_above
        )

    def ends_at(self, *, above: bool) -> Iterator[End]:
        """Yield the ends at the row above, or at the row below."""
        if self.starts_above is above:
            yield self.start
        if self.ends_above is above:
            yield self.end


def set_tracks(pieces: Sequence[Piece]) -> int:
    """Straighten what can be straight, set the tracks, and return their number."""
    for piece in sorted(pieces, key=lambda one: abs(one.end.x - one.start.x)):
        _straighten(piece)
    crooked = [piece for piece in pieces if not piece.is_straight]
    over = _constraints(crooked)
    nudges = len(pieces)  # at most, so that this ends
    while cycle := _find_cycle(over):
        soft = next((one for one in _steps(cycle) if not over[one[0]][one[1]]), None)
        nudges -= soft is None
        if soft:
            del over[soft[0]][soft[1]]
        elif nudges >= 0 and _nudged(cycle, pieces):
            crooked = [piece for piece in pieces if not piece.is_straight]
            over = _constraints(crooked)
        else:  # two lines will touch
            del over[cycle[0]][cycle[1]]
    return _place(_in_order(crooked, over), over)


def _straighten(piece: Piece) -> None:
    """Move an end of a line with a small step: in a crowd only if it has to be."""
    gap = piece.end.x - piece.start.x
    if abs(gap) > SMALL_STEP or piece.starts_above == piece.ends_above:
        return
    ends = sorted((piece.end, piece.start), key=lambda end: len(end.side))
    moves = ((ends, 0.0), (ends[::-1], _INTO_CORNER))
    if gap and not any(
        end.moved(other.x, closer)
        for (one, two), closer in moves
        for end, other in ((one, two), (two, one))
    ):
        return
    piece.start.is_straight = piece.end.is_straight = True


def _constraints(pieces: Sequence[Piece]) -> _Over:
    """Return for each piece those that should be above it, and whether they must.

    A line that comes down and turns must do so above one that turns down there.
    """
    marks = [
        (end.x, above, piece)
        for piece in pieces
        for above in (True, False)
        for end in piece.ends_at(above=above)
    ]
    marks.sort(key=lambda mark: mark[0])
    over: _Over = {piece: {} for piece in pieces}
    for at, (x, above, piece) in enumerate(marks):
        for other_x, other_above, other in marks[at + 1 :]:
            if other_x - x >= _BESIDE:
                break
            if above == other_above or piece is other or _is_shared(piece, other):
                continue
            upper, lower = (piece, other) if above else (other, piece)
            if other_x - x < _NEAR:
                over[lower][upper] = True
            elif _meet(lower, upper):
                over[lower].setdefault(upper, False)
    return over


def _meet(one: Piece, other: Piece) -> bool:
    """Return whether the two are above each other somewhere."""
    a, b = _span(one), _span(other)
    return a.low < b.high and b.low < a.high


def _is_shared(one: Piece, other: Piece) -> bool:
    return one.start is other.start or one.end is other.end


def _find_cycle(over: _Over) -> list[Piece] | None:
    done: set[Piece] = set()
    for root, uppers in over.items():
        path = {} if root in done else {root: iter(uppers)}
        while path:
            piece, others = next(reversed(path.items()))
            for other in others:
                if other in path:
                    return [*path][[*path].index(other) :]
                if other not in done:
                    path[other] = iter(over[other])
                    break
            else:
                done.add(piece)
                del path[piece]
    return None


def _steps(cycle: Sequence[Piece]) -> Iterator[tuple[Piece, Piece]]:
    return zip(cycle, (*cycle[1:], cycle[0]), strict=True)


def _nudged(cycle: Sequence[Piece], pieces: Sequence[Piece]) -> bool:
    """Move an end of one of the pieces aside, if there is room, to break the cycle."""
    ends = {end for piece in pieces for end in (piece.start, piece.end)}
    taken = sorted(end.x for end in ends)
    for step in _NUDGES:
        for piece in cycle:
            for end in _movable_ends(piece):
                x = end.x + step
                near = taken[
                    bisect_left(taken, x - _NEAR) : bisect_right(taken, x + _NEAR)
                ]
                if not near and (not end.side or _can_be_nudged(end, x)):
                    end.x = x
                    return True
    return False


def _can_be_nudged(end: End, x: float) -> bool:
    return end.low - _INTO_CORNER <= x <= end.high + _INTO_CORNER


def _movable_ends(piece: Piece) -> Iterator[End]:
    """Yield the ends whose other piece, if they have one, has no track yet."""
    yield from piece.ends_at(above=False)
    yield from (end for end in piece.ends_at(above=True) if end.side)


def _in_order(pieces: Sequence[Piece], over: _Over) -> list[Piece]:
    """Sort pieces so that those which belong above others come before them."""

    def place(piece: Piece) -> tuple[bool, float, float]:
        is_right = piece.end.x > piece.start.x
        if not piece.starts_above:
            is_right = not is_right
        sign = -1 if is_right else 1
        top, bottom = piece.start.x, piece.end.x
        if not piece.starts_above:
            top, bottom = bottom, top
        return is_right, sign * top, sign * bottom

    ordered: dict[Piece, None] = {}
    for piece in sorted(pieces, key=place):
        waiting = [piece]
        while waiting:
            last = waiting[-1]
            above = [one for one in over[last] if one not in ordered]
            if above:
                waiting.append(above[0])
            else:
                ordered[waiting.pop()] = None
    return list(ordered)


class _Track:
    """Pieces at the same height, from left to right; none meets another."""

    def __init__(self) -> None:
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._pieces: list[_Reach] = []

    def met(self, span: _Reach) -> list[_Reach]:
        """Return the pieces that are too close to *span* to be on one track."""
        first = bisect_right(self._highs, span.low - _APART)
        return self._pieces[first : bisect_left(self._lows, span.high + _APART)]

    def add(self, span: _Reach) -> None:
        """Add a piece that meets none."""
        at = bisect_left(self._lows, span.low)
        self._lows.insert(at, span.low)
        self._highs.insert(at, span.high)
        self._pieces.insert(at, span)


class _Reach(NamedTuple):
    """What counts of a piece: its extent, and where it leaves the track."""

    low: float
    high: float
    ups: tuple[float, ...]
    downs: tuple[float, ...]

    def crossings_above(self, other: _Reach) -> int:
        """Return how often the two cross if this one is above *other*."""
        return sum(self.low < x < self.high for x in other.ups) + sum(
            other.low < x < other.high for x in self.downs
        )

    def is_better_above(self, other: _Reach) -> bool:
        """Return whether the two cross less often if this one is above *other*."""
        return self.crossings_above(other) < other.crossings_above(self)


def _span(piece: Piece) -> _Reach:
    start, end = piece.start.x, piece.end.x
    ups = tuple(one.x for one in piece.ends_at(above=True))
    downs = tuple(one.x for one in piece.ends_at(above=False))
    return _Reach(min(start, end), max(start, end), ups, downs)


def _place(pieces: Sequence[Piece], over: _Over) -> int:
    """Give each piece the first free track below those that belong above it."""
    tracks: list[_Track] = []
    for piece in pieces:
        span = _span(piece)
        least = max((one.track + 1 for one in over[piece]), default=0)
        for number in range(len(tracks) - 1, least - 1, -1):
            if any(one.is_better_above(span) for one in tracks[number].met(span)):
                least = number + 1
                break
        free = (at for at in range(least, len(tracks)) if not tracks[at].met(span))
        piece.track = next(free, max(len(tracks), least))
        tracks += (_Track() for _ in range(len(tracks), piece.track + 1))
        tracks[piece.track].add(span)
    return len(tracks)
