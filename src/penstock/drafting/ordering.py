"""What each chosen step comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choosing import find_callers, find_group

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from penstock.checking.project.functions_and_classes import Function

    from .reading import Reading

__all__ = ["predecessors"]


def predecessors(
    reading: Reading, steps: Sequence[Function]
) -> Mapping[Function, list[Function]]:
    """Return what each of *steps* comes after, the last one that surely ran first.

    Other steps that may have run since then follow it. The steps are in the order of
    execution: of two that may run before each other, as in a loop, the first one that
    is called comes first.

    Args:
        reading: The entry, and all that it leads to.
        steps: The chosen functions.
    """
    order = _in_order(reading, steps)
    possible: dict[Function, list[Function]] = {}
    found: dict[Function, list[Function]] = {}
    for place, step in enumerate(order):
        may, must = _masks(reading, step)
        earlier = [one for one in order[:place] if may & _bits(reading, one)]
        certain = [one for one in earlier if must & _bits(reading, one)]
        possible[step] = earlier
        callers = find_callers(reading, step, order)
        before = _nearest(earlier, certain, possible, callers)
        around = (one for one in earlier if one not in before)
        before += [one for one in around if _calls_alone(reading, one, step, earlier)]
        found[step] = sorted(before, key=order.index)
    return found


def _in_order(reading: Reading, steps: Sequence[Function]) -> list[Function]:
    reached = reading.reached
    left = sorted(
        (one for one in steps if one in reached), key=lambda one: reached[one].position
    )
    before = {
        step: {one for one in left if _masks(reading, step)[0] & _bits(reading, one)}
        for step in left
    }
    found: list[Function] = []
    while left:
        free = (
            step
            for step in left
            if all(step in before[one] for one in before[step].intersection(left))
        )
        step = next(free, left[0])
        left.remove(step)
        found.append(step)
    return found


def _nearest(
    earlier: Sequence[Function],
    sure: Sequence[Function],
    possible: Mapping[Function, Sequence[Function]],
    callers: Collection[Function],
) -> list[Function]:
    last = sure[-1:]
    since = earlier[earlier.index(last[0]) + 1 :] if last else earlier
    behind = {one for step in since for one in possible[step]}
    if callers and all(one in since for one in callers):
        last = []  # one of those that have run since has called it
    return [*last, *(one for one in since if one not in behind)]


def _calls_alone(
    reading: Reading, caller: Function, step: Function, earlier: Sequence[Function]
) -> bool:
    """Return whether *caller* may call *step* with no other step between the two."""
    after = earlier[earlier.index(caller) + 1 :]
    between = sum(_bits(reading, one) for one in after)
    return any(
        one in reading.reached[each].callers
        and not reading.reached[each].callers[one] & between
        for one in find_group(reading, caller)
        for each in find_group(reading, step)
    )


def _masks(reading: Reading, step: Function) -> tuple[int, int]:
    may, must = 0, -1
    for one in find_group(reading, step):
        may |= reading.reached[one].may
        must &= reading.reached[one].must
    return may, must


def _bits(reading: Reading, step: Function) -> int:
    mask = 0
    for one in find_group(reading, step):
        mask |= reading.bits[one]
    return mask
