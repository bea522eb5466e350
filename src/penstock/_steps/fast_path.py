"""What the call path needs to judge a call by itself, from a few flags of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FITS_NO_RUN", "FastPath", "SeenOrder"]


class SeenOrder:
    """Calls of a step that came after the same predecessors and kept the order.

    Attributes:
        before: The bits of those predecessors.
        flag: The flag that a run sets for such a call.
        calls: How many there were.
    """

    __slots__ = ("before", "calls", "flag")

    def __init__(self, before: int, flag: int) -> None:
        self.before: int = before
        self.flag: int = flag
        self.calls: int = 0


class FastPath:
    """How the call path judges a step, in runs of the same epoch.

    Attributes:
        epoch: The runs that it fits have the same one.
        flag: Set in a run where the only predecessor has ended, judged on this path.
        slow_flag: Set where it has ended, judged by ``penstock.conformance``.
        done_flag: To set when a call of this step has ended.
        bit: The step's bit among those that are open.
        calls: How many calls either flag has allowed.
        read_flags: Reads the flags of all predecessors; None where they don't suffice.
        mask: The bits of all predecessors.
        seen: The orders that hold, by those flags and the predecessors open above.
    """

    __slots__ = (
        "bit",
        "calls",
        "done_flag",
        "epoch",
        "flag",
        "mask",
        "read_flags",
        "seen",
        "slow_flag",
    )

    def __init__(self) -> None:
        self.epoch: object = FastPath  # fits no run
        self.flag: int = 0
        self.slow_flag: int = 0
        self.done_flag: int = 0
        self.bit: int = 0
        self.calls: int = 0
        self.read_flags: Callable[[bytearray], object] | None = None
        self.mask: int = 0
        self.seen: dict[tuple[object, int], SeenOrder] = {}


FITS_NO_RUN: Final = FastPath()
"""The fast path of every step that ``penstock.conformance`` does not judge."""
