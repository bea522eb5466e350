"""How much the stress tests do: little by default, all of it with PENSTOCK_STRESS=1."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, so that ``-m 'not stress'`` leaves these out."""
    config.addinivalue_line("markers", "stress: many runs, threads and processes")


@pytest.fixture
def size() -> Callable[[int, int], int]:
    """Return a function that picks the small number, or the full one on request."""
    is_full = os.environ.get("PENSTOCK_STRESS", "") not in {"", "0"}
    return lambda small, full: full if is_full else small
