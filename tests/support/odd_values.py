"""Values that users put into metadata; only few of them can be sent."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal

__all__ = ["ODD"]

ODD = (
    uuid.UUID(int=1),
    {1, 2},
    frozenset({1}),
    2**80,
    -1,
    float("nan"),
    float("inf"),
    1.5,
    Decimal("1.1"),
    datetime(2026, 1, 1, tzinfo=UTC),
    b"\xff\x00",
    bytearray(b"x"),
    "smörgås\x00\r\n",
    "\ud800",
    "x" * 200_000,
    None,
    True,
    [1, [2, {"a": None}]],
    {1: 2},
    (1, 2),
    object(),
    print,
)
