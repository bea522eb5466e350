"""Where calls stand in their runs: their callers, and what their clocks can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .operation import StoredCall

__all__ = ["ROUNDING_US", "Message", "Moment", "StoredPlace", "places_of", "run_of"]

ROUNDING_US = 1
"""How far the end of a call may lie behind the start of the next, by rounding."""

Wall = tuple[str, str]
"""What tells one clock from others: the host, or where it is unknown the process."""


class Moment(NamedTuple):
    """When a call was made.

    Attributes:
        time_us: The time.
        wall: Whose clock says so, None if that is unknown.
        is_exact: Whether the call was made then, and not earlier.
    """

    time_us: int
    wall: Wall | None
    is_exact: bool = True


@dataclass(slots=True, eq=False)
class StoredPlace:
    """Where a call stands.

    Attributes:
        call: The call.
        parent: The place of the call that made it.
        above: The nearest one above in the same run and flow.
        hop: The nearest call of its process that another process made, perhaps itself.
        depth: How many calls are above it.
        wall: Whose clock its times are by.
        is_hop: Whether another process made the call.
    """

    call: StoredCall
    parent: StoredPlace | None
    above: StoredPlace | None
    hop: StoredPlace | None
    depth: int
    wall: Wall
    is_hop: bool

    def moment(self) -> Moment:
        """Return when the call was made: for a message, when it was sent."""
        call = self.call
        if call.sent_at_us is not None:
            return Moment(call.sent_at_us, self._sender_wall(call.sent_at_us))
        return Moment(call.start_us or 0, self.wall, is_exact=not self.is_hop)

    def message(self) -> Message | None:
        """Return the message that another process made the call with, None if none."""
        if self.call.sent_at_us is None:
            return None
        return self.parent, self.call.sent_at_us, self.wall

    def moments(self) -> Iterator[Moment]:
        """Yield this moment, and when the messages were sent that led to it.

        What had ended by one of them was before this call. Those that are above the
        call ``above`` add nothing to what was before that one.
        """
        yield self.moment()
        lowest = 0 if self.above is None else self.above.depth + 1
        parent = self.parent
        while parent is not None and parent.hop is not None:
            if parent.hop.depth < lowest:
                return
            yield parent.hop.moment()
            parent = parent.hop.parent

    def earliest_end(self) -> Moment | None:
        """Return a time before which it cannot have ended, by another process's clock.

        The sender of a message knows when it was sent, and from then on it took as
        long as the receiver's clock says.
        """
        hop = self.hop
        if hop is None or hop.call.sent_at_us is None:
            return None
        sent = hop.moment()
        took = ended_us(self.call) - (hop.call.start_us or 0)
        return Moment(sent.time_us + max(0, took), sent.wall)

    def _sender_wall(self, sent_at_us: int) -> Wall | None:
        """Return whose clock says when the message was sent.

        It is the caller's if that was open then. Otherwise something else has sent the
        message in its name, such as a worker that goes on to the next task.
        """
        parent = self.parent
        if parent is None:
            return None
        start, end = parent.call.start_us or 0, parent.call.end_us or sent_at_us
        is_open = start - ROUNDING_US <= sent_at_us <= end + ROUNDING_US
        return parent.wall if is_open or parent.wall == self.wall else None


Message = tuple[StoredPlace | None, int, Wall]
"""What the calls of one message have in common: who sent it, when, and who handled it.
"""


def ended_us(call: StoredCall) -> int:
    """Return when a call had ended, as far as the order is concerned.

    A generator has ended when it gave its first item.
    """
    ended = call.end_us if call.first_item_us is None else call.first_item_us
    return ended or 0


def run_of(call: StoredCall) -> str:
    """Return what the calls of one run have in common."""
    return call.run_id or call.correlation_id


def places_of(calls: Iterable[StoredCall]) -> list[StoredPlace]:
    """Return the places of all calls of an operation, which come depth first."""
    places: list[StoredPlace] = []
    path: list[StoredPlace] = []
    open_places: dict[tuple[str, str], list[StoredPlace]] = {}
    for call in calls:
        while path and path[-1].call is not call.parent:
            left = path.pop()
            open_places[run_of(left.call), left.call.flow].pop()
        around = open_places.setdefault((run_of(call), call.flow), [])
        place = _place(call, path[-1] if path else None, around[-1] if around else None)
        places.append(place)
        path.append(place)
        around.append(place)
    return places


def _place(
    call: StoredCall, parent: StoredPlace | None, above: StoredPlace | None
) -> StoredPlace:
    is_hop = call.sent_at_us is not None
    if parent is not None and not is_hop:
        is_hop = _is_elsewhere(call, parent.call)
    depth = 0 if parent is None else parent.depth + 1
    if parent is not None and not is_hop:
        return StoredPlace(call, parent, above, parent.hop, depth, parent.wall, is_hop)
    wall = (call.host, "" if call.host else call.process or call.call_id)
    place = StoredPlace(call, parent, above, None, depth, wall, is_hop)
    place.hop = place if is_hop else None
    return place


def _is_elsewhere(call: StoredCall, caller: StoredCall) -> bool:
    """Tell whether two calls are known to be in different processes."""
    both = (call.host, caller.host), (call.process, caller.process)
    return any(here and there and here != there for here, there in both)
