"""The tracks of lines between two rows: few, in an order that avoids crossings."""

from __future__ import annotations

from penstock.renderers.picture.tracks import End, Piece, set_tracks


def piece(start: float, end: float) -> Piece:
    """Return a piece between two ends that cannot be moved."""
    return Piece(End(start), End(end))


def test_pieces_that_do_not_meet_share_a_track() -> None:
    """Two pieces side by side need one track."""
    left, right = piece(40, 0), piece(60, 100)

    assert set_tracks([left, right]) == 1
    assert (left.track, right.track) == (0, 0)


def test_a_fan_does_not_cross() -> None:
    """Of lines that spread, the outermost turns first."""
    near, far = piece(0, 100), piece(30, 200)

    assert set_tracks([near, far]) == 2
    assert (far.track, near.track) == (0, 1)


def test_a_line_turns_above_one_that_ends_there() -> None:
    """Two lines in one column follow each other, and do not lie on each other."""
    coming, leaving = piece(0, 200), piece(200, 0)
    leaving.end.x = 100

    assert set_tracks([coming, leaving]) == 2
    assert leaving.track < coming.track


def test_lines_that_swap_their_places() -> None:
    """If neither can be above the other, an end is moved aside."""
    one, other = piece(0, 200), piece(200, 0)

    assert set_tracks([one, other]) == 2
    assert abs(one.end.x - 200) >= 5 or abs(other.end.x) >= 5


def test_a_port_that_is_moved_aside_stays_at_its_box() -> None:
    """A nudged port does not come closer to a corner than the border is straight."""
    one, other = piece(0, 200), piece(200, 0)
    for end in (one.start, one.end, other.start, other.end):
        end.low, end.high, end.side = end.x - 9, end.x, [end]

    assert set_tracks([one, other]) == 2
    moved = [end.x for end in (one.start, one.end, other.start, other.end)]
    assert sorted(moved) != [0, 0, 200, 200]
    assert all(-13 <= x <= 4 or 187 <= x <= 204 for x in moved)


def test_no_room_to_move_aside() -> None:
    """Where everything is taken, tracks are given all the same."""
    ends = [End(x / 2) for x in range(-80, 500)]
    one, other = piece(0, 200), piece(200, 0)
    crowd = [Piece(end, end) for end in ends]

    assert set_tracks([one, other, *crowd]) == 2
    assert (one.start.x, one.end.x) == (0, 200)


def test_a_small_step_becomes_straight() -> None:
    """A port moves to the other end of its line, if its box and neighbours allow it."""
    free = End(20, 0, 50)
    free.side.append(free)
    crowded = Piece(End(100), End(110, 80, 120, 30))
    crowded.end.side += (End(85, 80, 120, 30), crowded.end)
    narrow = Piece(End(200), End(215, 210, 220))
    narrow.end.side.append(narrow.end)
    left = Piece(End(320), End(310, 280, 340, 30))
    left.end.side += (left.end, End(335, 280, 340, 30))
    straight = Piece(End(10), free)

    assert set_tracks([straight, crowded, narrow, left]) == 1
    assert free.x == 10
    assert straight.is_straight
    assert [one.end.x for one in (crowded, narrow, left)] == [110, 215, 310]


def test_a_port_makes_room_for_a_straight_line() -> None:
    """On a short side the port of a straight line is in the middle, the other aside."""
    side: list[End] = []
    near, far = (End(x, -6, 6, 14, side) for x in (-9, 9))
    side += near, far
    middle = End(0, -6, 6)
    middle.side.append(middle)

    assert set_tracks([Piece(near, middle), Piece(far, End(60))]) == 1
    assert (near.x, middle.x, far.x) == (0, 0, 10)


def test_a_straight_line_stays() -> None:
    """No port of a straight line moves aside for another."""
    side: list[End] = []
    straight, crooked = (End(x, -6, 6, 14, side) for x in (-9, 9))
    side += straight, crooked

    assert set_tracks([Piece(straight, End(-9)), Piece(crooked, End(0))]) == 1
    assert (straight.x, crooked.x) == (-9, 9)


def test_corners_side_by_side() -> None:
    """A line that ends beside another that begins shares its track."""
    left, right = piece(0, 100), piece(110, 200)

    assert set_tracks([left, right]) == 1


def test_corners_keep_away_from_each_other() -> None:
    """Of two orders with as many crossings, the clearer one is taken."""
    right, left = piece(100, 250), piece(300, 107)

    assert set_tracks([left, right]) == 2
    assert right.track < left.track
