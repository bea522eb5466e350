"""Incoming IDs, and what every server makes of each."""

from __future__ import annotations

import uuid
from typing import NamedTuple

import pytest

__all__ = ["TRACEPARENT", "Inbound", "check_inbound", "inbound_ids"]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
ID, REQUEST = "X-Correlation-ID", "X-Request-ID"


class Inbound(NamedTuple):
    """A header of a request, and the ID that is taken from it: ``""`` for none."""

    header: str
    value: str
    adopted: str = ""


_GOOD = (
    "order-17",
    "req:1/2@a",
    *(str(uuid.UUID(TRACE_ID, version=version)) for version in range(1, 6)),
    "1ec9414c-232a-6b00-b3c8-9f6bdeced846",  # UUIDv6
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",  # UUIDv7
    "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0",  # UUIDv8
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",  # ULID
    "0ujsswThIGTUYm2K8FjOOfXtY1K",  # KSUID
)
_BAD = (
    "",
    "a\r\nSet-Cookie: x=1",
    "a\x00b",
    "\x1b[31mred",
    "\N{ARABIC-INDIC DIGIT ONE}".encode().decode("latin-1"),
    "\xb2\xb3",
    "<script>alert(1)</script>",
    "{0.__class__}",
    "%(correlation_id)s",
    "<one>,two",
    "x" * 129,
    "x" * 1_000_000,
)
_CASES = (
    *(Inbound(ID, value, value) for value in _GOOD),
    Inbound(REQUEST.lower(), _GOOD[0], _GOOD[0]),
    Inbound(ID, "order-17,second", "order-17"),  # servers join headers that repeat
    Inbound(ID, "order-17 , second", "order-17"),
    Inbound("traceparent", TRACEPARENT, TRACE_ID),
    Inbound("traceparent", f"{TRACEPARENT},{TRACEPARENT}", TRACE_ID),
    Inbound("traceparent", f"ff{TRACEPARENT[2:]}"),
    Inbound("traceparent", TRACEPARENT.replace(TRACE_ID, "0" * 32)),
    *(Inbound(ID, value) for value in _BAD),
)

inbound_ids = pytest.mark.parametrize(
    "inbound",
    _CASES,
    ids=lambda case: f"{case.header}-{ascii(case.value)[:24]}-{len(case.value)}",
)


def check_inbound(
    inbound: Inbound, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Check the ID that a response shows; a refused ID appears nowhere."""
    if inbound.adopted:
        assert shown == inbound.adopted
        return
    assert len(shown) == 32
    assert shown != inbound.value
    told = [r for r in caplog.records if "was not adopted" in r.getMessage()]
    assert len(told) == 1
    assert not inbound.value or inbound.value[:20] not in caplog.text
