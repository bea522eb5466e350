"""Random numbers that are the same in every version of Python."""

from __future__ import annotations


class Random:
    """A linear congruential generator (Knuth's MMIX), always with the same seed."""

    def __init__(self) -> None:
        self._state = 1

    def below(self, limit: int) -> int:
        """Return a number from 0 to below *limit*."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % limit

    def shuffle(self, items: list[int]) -> None:
        """Shuffle a list in place (Fisher-Yates)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
