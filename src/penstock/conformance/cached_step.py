"""Whether a cache may answer in place of a step in later runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from penstock._steps.marked import find_marked

if TYPE_CHECKING:
    from penstock._steps.step import Step


def is_behind_cache(step: Step) -> bool:
    """Return whether its module or class holds an object other than the function.

    That object may be a ``functools.cache`` or ``cached_property``, or any decorator,
    which may cache as well. Tasks and consumers are such objects, but never cache.
    """
    held: object = sys.modules.get(step.origin.module)
    for name in step.origin.qualname.split("."):
        held = getattr(held, "__dict__", {}).get(name)
    mark = find_marked(held)
    if mark is None or mark.func is not step.func or step.crosses:
        return False
    inside = getattr(held, "__func__", getattr(held, "fget", held))
    return held is not mark.wrapper and inside is not mark.wrapper
