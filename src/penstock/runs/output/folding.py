"""Fold calls that look the same, as in a long loop, into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from penstock.runs.operation import StoredCall

Group = tuple["StoredCall", ...]
"""A call, or several that look the same and so do those below them."""

_MAX_ALIKE = 20
"""So many siblings that look the same are shown one by one."""


class Folding:
    """Says which calls look the same.

    Args:
        calls: All calls, each before those that it made.
        apart: Calls that look like no other.
    """

    def __init__(
        self, calls: Sequence[StoredCall], apart: AbstractSet[StoredCall]
    ) -> None:
        numbers: dict[object, int] = {}
        self._looks: dict[StoredCall, int] = {}
        for call in reversed(calls):
            look = (
                call if call in apart else None,
                (call.flow, call.step, call.service, call.outcome, call.error_type),
                call.end_us is None,
                call.sent_at_us is None,
                *call.doubts,
                *(self._looks[child] for child in call.children),
            )
            self._looks[call] = numbers.setdefault(look, len(numbers))

    def groups(
        self, calls: Iterable[StoredCall], *, most: int = _MAX_ALIKE
    ) -> list[Group]:
        """Return *calls* in groups; up to *most* that look the same stay apart."""
        alike: dict[int, list[StoredCall]] = {}
        calls = list(calls)
        for call in calls:
            alike.setdefault(self._looks[call], []).append(call)
        found: list[Group] = []
        for call in calls:
            same = alike[self._looks[call]]
            if len(same) <= most:
                found.append((call,))
            elif call is same[0]:
                found.append(tuple(same))
        return found

    def below(self, group: Group) -> list[Group]:
        """Return the groups of the calls that *group* made."""
        children = (child for call in group for child in call.children)
        return self.groups(children, most=_MAX_ALIKE if len(group) == 1 else 0)
