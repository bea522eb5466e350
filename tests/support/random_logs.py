"""Random logs of several runs, as ``penstock.JSONFormatter`` writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from penstock._platform.clock import utc

if TYPE_CHECKING:
    from collections.abc import Iterator

START_US = 1_790_000_000_000_000


@dataclass(frozen=True)
class _Call:
    flow: str
    step: str
    service: str
    begin_us: int
    took_us: int
    outcome: str
    has_start: bool
    has_end: bool
    has_duration: bool

    def ends(self, **ids: Any) -> dict[str, Any]:
        """Return the line of its end."""
        took = {"duration_ms": self.took_us / 1000} if self.has_duration else {}
        event = "step.error" if self.outcome == "error" else "step.end"
        return {**self._line(event, self.took_us, ids), "outcome": self.outcome, **took}

    def starts(self, **ids: Any) -> dict[str, Any]:
        """Return the line of its start."""
        return self._line("step.start", 0, ids)

    def _line(self, event: str, later_us: int, ids: dict[str, Any]) -> dict[str, Any]:
        written = {"timestamp": utc((START_US + self.begin_us + later_us) / 1e6)}
        names = {"flow_event": event, "flow": self.flow, "step": self.step}
        return {**written, **names, "service": self.service, **ids}


_CALLS = st.builds(
    _Call,
    st.sampled_from(["orders", "it's"]),
    st.sampled_from(["a", "b", '"']),
    st.sampled_from(["shop", "mail"]),
    st.integers(0, 10**6).map(lambda us: us * 10 + 1),  # not a clock of milliseconds
    st.integers(0, 10**6),
    st.sampled_from(["ok", "error", "cancelled"]),
    *[st.sampled_from([True, True, True, False])] * 3,
)


@st.composite
def random_logs(draw: st.DrawFn) -> str:
    """Draw the text of a log: runs with a line or two for each call, or one for all."""
    lines: list[dict[str, Any]] = []
    for number, calls in enumerate(draw(st.lists(st.lists(_CALLS, min_size=1)))):
        write = draw(st.sampled_from([_each, _by_run]))
        lines += write(number, calls)
    for line in lines:
        line["order_id"] = draw(st.sampled_from(["A-1", "A-2"]))
    return "".join(f"{json.dumps(line)}\n" for line in draw(st.permutations(lines)))


def _each(number: int, calls: list[_Call]) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(calls):
        ids = {**_ids(number), "call_id": f"p{number}-{index}"}
        if call.has_start:
            yield call.starts(**ids)
        if call.has_end:
            yield call.ends(**ids)


def _by_run(number: int, calls: list[_Call]) -> Iterator[dict[str, Any]]:
    entry, *inner = calls
    ids = {**_ids(number), "call_id": f"p{number}-0"}
    began = {"started_at": utc((START_US + entry.begin_us) / 1e6)}
    inside = [
        {
            "step": one.step,
            "call": f"p{number}-{index}",
            "start_ms": index * 1.5,
            "duration_ms": one.took_us / 1000,
            "outcome": one.outcome,
            **({"flow": one.flow} if one.flow != entry.flow else {}),
        }
        for index, one in enumerate(inner, 1)
    ]
    yield {**entry.ends(**ids), **began, "calls": inside}


def _ids(number: int) -> dict[str, Any]:
    root = f"{number:032x}"
    return {"correlation_id": root, "root_id": root, "run_id": f"p{number}-0"}
