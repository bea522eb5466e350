"""Runs split over processes: no process accuses what the whole run would clear."""

from __future__ import annotations

from collections import Counter
from contextvars import Context, copy_context
from types import coroutine
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock
from penstock import ConformanceReport, configure
from penstock.conformance.counters import Counters
from penstock.conformance.judge import process_judge
from tests.support.random_runs import Activation, Flow, events_of, expected, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Steps = dict[str, "Callable[[], Any]"]
Report = dict[str, Any]


@st.composite
def split_runs(draw: st.DrawFn) -> tuple[Flow, list[Activation], list[int]]:
    """Draw a run, and the process of each call; that of its entrypoint is the first."""
    flow, ran = draw(runs(begins_once=True))
    places = [draw(st.integers(0, 2)) for _ in ran]
    return flow, ran, [0, *places[1:]]


@coroutine
def pause() -> Generator[None]:
    """Let a coroutine stand still until it is resumed."""
    yield


def declared(flow: Flow) -> Steps:
    """Declare a flow of coroutines that stand still once."""
    orders = penstock.flow("orders")
    steps: Steps = {}
    for name, after in flow.items():

        async def work() -> None:
            await pause()

        groups = [penstock.all_of(*group) for group in after]
        kind = penstock.step(name=name, after=groups)
        run = (kind if name != "a" else penstock.entrypoint(name=name))(work)
        steps[name] = orders(run)
    return steps


class Played:
    """A run as it happens: each call in its own context, in one of the processes."""

    def __init__(self, steps: Steps, processes: int) -> None:
        self.steps = steps
        self.counters = [Counters() for _ in range(processes)]
        self._place: dict[Activation, int] = {}
        self._inside: dict[Activation, Context] = {}
        self._open: dict[Activation, tuple[Any, Context]] = {}

    def start(self, each: Activation, place: int) -> None:
        """Start a call below its parent, by a message where that is elsewhere."""
        self._place[each] = place
        context = self._context(each, place)
        call = self.steps[each.step]()
        process_judge.counters = self.counters[place]
        context.run(call.send, None)
        self._open[each] = call, context
        self._inside[each] = context.run(copy_context)

    def end(self, each: Activation) -> None:
        """End a call."""
        process_judge.counters = self.counters[self._place[each]]
        call, context = self._open.pop(each)
        with pytest.raises(StopIteration):
            context.run(call.send, None)

    def report(self) -> Report:
        """Return what all processes have counted together."""
        reports = []
        for process_judge.counters in self.counters:
            reports.append(penstock.conformance_report().to_dict())
        merged: Report = ConformanceReport.merge(reports).to_dict()["flows"]["orders"]
        return merged

    def _context(self, each: Activation, place: int) -> Context:
        if each.parent is None:
            return Context()
        above = self._inside[each.parent]
        if self._place[each.parent] == place:
            return above.run(copy_context)
        process_judge.counters = self.counters[self._place[each.parent]]
        carrier = above.copy().run(penstock.inject)
        context = Context()
        context.run(penstock.continue_flow(carrier).__enter__)
        return context


@given(split_runs(), st.booleans())
def test_no_call_is_accused_falsely(
    run: tuple[Flow, list[Activation], list[int]],
    is_fast: bool,  # noqa: FBT001  # drawn
) -> None:
    """R1 and R3 are those of the whole run, and so is every edge that was witnessed."""
    flow, ran, places = run
    before = process_judge.counters
    with pytest.MonkeyPatch.context() as patch:
        watchers = () if is_fast else (lambda *_: None,)
        patch.setattr(process_judge, "watchers", watchers)
        configure(conformance="record")
        try:
            played = Played(declared(flow), max(places) + 1)
            for each, is_start in events_of(ran):
                if is_start:
                    played.start(each, places[ran.index(each)])
                else:
                    played.end(each)
            report = played.report()
        finally:
            process_judge.counters = before
            penstock.reset()
            penstock.forget_flow()

    broken: Counter[str] = Counter()
    for found in report["violations"]:
        if found["code"] != "R2":
            broken[f"{found['code']} {found['step']}"] += found["count"]
    shown = {f"{e['before']}->{e['after']}" for e in report["edges"] if e["witnessed"]}
    codes, witnessed, _ = expected(flow, ran)
    truth = Counter(f"{c} {one.step}" for c, one in zip(codes, ran, strict=True) if c)
    assert broken <= truth
    assert shown <= witnessed
