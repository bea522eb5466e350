"""Random runs as the lines that their processes would have written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from penstock._platform.clock import utc
from penstock._types import FlowInfo, StepInfo
from penstock.runs.lines import StoredLine
from tests.support.random_runs import Flow, expected, runs

if TYPE_CHECKING:
    from tests.support.random_runs import Activation

MOMENT_US = 1_000
"""How long a moment of a random run takes."""


@dataclass(frozen=True)
class StoredRun:
    """A random run: its flow, what its lines say, and the verdict by definition."""

    flow: Flow
    ran: list[Activation]
    lines: list[StoredLine]
    verdict: str


@st.composite
def stored_runs(draw: st.DrawFn, *, hosts: int = 1) -> StoredRun:
    """Draw a run over so many hosts, each with a clock that is wrong by something."""
    flow, ran = draw(runs(begins_once=True))
    skews = [draw(st.integers(-50, 50)) * MOMENT_US for _ in range(hosts)]
    at = {each: draw(st.integers(0, hosts - 1)) for each in ran}
    lines: list[StoredLine] = []
    for number, each in enumerate(ran):
        fields = _fields(ran, number)
        fields["host.name"] = f"host-{at[each]}"
        fields["process.pid"] = "1"
        if each.parent is not None and at[each] != at[each.parent]:
            sent_us = each.start * MOMENT_US + skews[at[each.parent]]
            fields["sent_at"] = utc((10**15 + sent_us) / 10**6)
        for event, moment in (("start", each.start), ("end", each.end)):
            assert moment is not None
            time_us = 10**15 + moment * MOMENT_US + skews[at[each]]
            lines.append(StoredLine(time_us, {**fields, "flow_event": f"step.{event}"}))
    return StoredRun(flow, ran, draw(st.permutations(lines)), _verdict(flow, ran))


@st.composite
def runs_in_one_line(draw: st.DrawFn) -> StoredRun:
    """Draw a run that writes one line; a call that ends after it has its own."""
    flow, ran = draw(runs(begins_once=True))
    end = ran[0].end or 0
    inner = [
        {
            "step": each.step,
            "call": f"p-{number}",
            "parent": f"p-{ran.index(each.parent)}",
            "start_ms": each.start * MOMENT_US / 1000,
            "duration_ms": ((each.end or 0) - each.start) * MOMENT_US / 1000,
            "outcome": "ok",
        }
        for number, each in enumerate(ran)
        if each.parent is not None and (each.end or 0) < end
    ]
    lines = []
    for number, each in enumerate(ran):
        fields = _fields(ran, number) | {"flow_event": "step.end"}
        fields["duration_ms"] = ((each.end or 0) - each.start) * MOMENT_US / 1000
        if each.parent is None:
            fields |= {"started_at": utc(10**9), "calls": inner}
        if each.parent is None or (each.end or 0) > end:
            lines.append(StoredLine(10**15 + (each.end or 0) * MOMENT_US, fields))
    return StoredRun(flow, ran, draw(st.permutations(lines)), _verdict(flow, ran))


def _verdict(flow: Flow, ran: list[Activation]) -> str:
    codes, _, contradicted = expected(flow, ran)
    return "out of order" if any(codes) or contradicted else "in order"


def _fields(ran: list[Activation], number: int) -> dict[str, Any]:
    each = ran[number]
    fields = {
        "flow": "flow",
        "step": each.step,
        "call_id": f"p-{number}",
        "run_id": "p-0",
        "correlation_id": "run",
        "root_id": "run",
    }
    if each.parent is not None:
        fields["parent_call_id"] = f"p-{ran.index(each.parent)}"
        fields["parent_step"] = each.parent.step
    return fields


def info_of(flow: Flow) -> FlowInfo:
    """Return a flow as it is declared; "a" is its entrypoint."""
    steps = (
        StepInfo(name, "flow", is_entrypoint=name == "a", after=after)
        for name, after in flow.items()
    )
    return FlowInfo("flow", tuple(steps))
