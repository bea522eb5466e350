"""Keep the garbage collector from what it would go through again and again."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["kept", "released"]


@contextmanager
def kept() -> Generator[None]:
    """Spare the collector whatever is made in the block; it stays until ``released``.

    Millions of syntax nodes are, and it looks at all of them each time that a quarter
    has come: of checking Django that was one second in five.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_enabled:
            gc.enable()


@contextmanager
def released() -> Generator[None]:
    """Give back to the collector, after the block, what was kept in it."""
    try:
        yield
    finally:
        gc.unfreeze()
