"""Runs split over processes: their reports, merged, say what one process would."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack, contextmanager
from contextvars import Context, copy_context
from itertools import count
from types import coroutine
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock
from penstock import ConformanceReport, configure
from penstock._registry import registry
from penstock._steps.marked import find_marked
from penstock.conformance.counters import Book
from penstock.conformance.judge import judge
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
    """Let a coroutine stand still until somebody sends to it."""
    yield


def declared(flow: Flow, crossing: set[str]) -> Steps:
    """Declare a flow; those of its steps that are *crossing* come by messages."""
    orders = penstock.flow("orders")
    steps: Steps = {}
    for name, after in flow.items():

        async def work() -> None:
            await pause()

        groups = [penstock.all_of(*group) for group in after]
        kind = penstock.step(name=name, after=groups)
        run = (kind if name != "a" else penstock.entrypoint(name=name))(work)
        mark: Any = find_marked(run)
        if name in crossing:
            mark.set_crossing()
        steps[name] = orders(run)
    return steps


class Played:
    """A run as it happens: each call in its own context, in one of the processes."""

    def __init__(self, steps: Steps, processes: int) -> None:
        self.steps = steps
        self.books = [Book() for _ in range(processes)]
        self._place: dict[Activation, int] = {}
        self._inside: dict[Activation, Context] = {}
        self._open: dict[Activation, tuple[Any, Context]] = {}

    def start(self, each: Activation, place: int) -> None:
        """Start a call below its parent, by a message where that is elsewhere."""
        self._place[each] = place
        context = self._context(each, place)
        call = self.steps[each.step]()
        judge.book = self.books[place]
        context.run(call.send, None)
        self._open[each] = call, context
        self._inside[each] = context.run(copy_context)

    def end(self, each: Activation) -> None:
        """End a call."""
        judge.book = self.books[self._place[each]]
        call, context = self._open.pop(each)
        with pytest.raises(StopIteration):
            context.run(call.send, None)

    def reports(self) -> list[Report]:
        """Return what each process has to report, as a file would hold it."""
        found = []
        for judge.book in self.books:
            found.append(
                json.loads(json.dumps(penstock.conformance_report().to_dict()))
            )
        return found

    def _context(self, each: Activation, place: int) -> Context:
        if each.parent is None:
            return Context()
        above = self._inside[each.parent]
        if self._place[each.parent] == place:
            return above.run(copy_context)
        judge.book = self.books[self._place[each.parent]]
        carrier = above.copy().run(penstock.inject)
        context = Context()
        context.run(penstock.continue_flow(carrier).__enter__)
        return context


@contextmanager
def exact_clocks(*, is_fast: bool) -> Generator[None]:
    """Have every look at the clock be later than the last; record all the while.

    On the call path nobody looks at it: what that has judged has no exact moment.
    """
    clock = count(1)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("penstock.conformance.crossing.time_ns", lambda: next(clock))
        patch.setattr(judge, "watchers", () if is_fast else (lambda *_: None,))
        before = judge.book
        configure(conformance="record")
        try:
            yield
        finally:
            judge.book = before
            penstock.reset()
            registry.clear()


def play(
    run: tuple[Flow, list[Activation], list[int]],
    crossing: set[str],
    *,
    is_fast: bool = False,
) -> list[Report]:
    """Play a run; return the reports of its processes."""
    flow, ran, places = run
    with exact_clocks(is_fast=is_fast):
        played = Played(declared(flow, crossing), max(places) + 1)
        for each, is_start in events_of(ran):
            if is_start:
                played.start(each, places[ran.index(each)])
            else:
                played.end(each)
        return played.reports()


def verdicts(report: ConformanceReport) -> tuple[Counter[str], set[str], set[str]]:
    """Return rules broken with their step, edges witnessed and edges contradicted."""
    flow = report.to_dict()["flows"]["orders"]
    codes: Counter[str] = Counter()
    for found in flow["violations"]:
        if found["code"] != "R2":
            codes[f"{found['code']} {found['step']}"] += found["count"]
    edges = {f"{e['before']}->{e['after']}": e for e in flow["edges"]}
    shown = {name for name, edge in edges.items() if edge["witnessed"]}
    wrong = {name for name, edge in edges.items() if edge["contradicted"]}
    return codes, shown, wrong


def truth(flow: Flow, ran: list[Activation]) -> tuple[Counter[str], set[str], set[str]]:
    """Return the same, as one process that sees everything would."""
    codes, shown, wrong = expected(flow, ran)
    broken = (f"{c} {each.step}" for c, each in zip(codes, ran, strict=True) if c)
    return Counter(broken), shown, wrong


@given(split_runs())
def test_merged_records_say_what_one_process_would(
    run: tuple[Flow, list[Activation], list[int]],
) -> None:
    """Of edges that cross: each call, each edge witnessed, each edge contradicted."""
    flow, ran, _ = run
    reports = play(run, set(flow))

    merged = ConformanceReport.merge(reports, complete=True)

    assert verdicts(merged) == truth(flow, ran)
    assert "crossings" not in merged.to_dict()


@given(split_runs(), st.sets(st.sampled_from("bcdef")), st.booleans())
def test_records_never_accuse_by_themselves(
    run: tuple[Flow, list[Activation], list[int]],
    crossing: set[str],
    is_fast: bool,  # noqa: FBT001  # drawn
) -> None:
    """Unless they are said to be complete they witness, and nothing but the truth."""
    flow, ran, _ = run
    reports = play(run, crossing, is_fast=is_fast)

    broken, shown, wrong = verdicts(ConformanceReport.merge(reports))
    each = [verdicts(ConformanceReport.merge([report])) for report in reports]

    assert shown <= truth(flow, ran)[1]
    assert broken == sum((codes for codes, _, _ in each), Counter())
    assert wrong == set().union(*(edges for _, _, edges in each))


@given(split_runs())
def test_what_has_no_exact_moment_is_not_decided_wrongly(
    run: tuple[Flow, list[Activation], list[int]],
) -> None:
    """Where the call path has judged, complete records say less, and nothing false."""
    flow, ran, _ = run
    reports = play(run, set(flow), is_fast=True)

    broken, shown, wrong = verdicts(ConformanceReport.merge(reports, complete=True))

    assert broken <= truth(flow, ran)[0]
    assert shown <= truth(flow, ran)[1]
    assert wrong <= truth(flow, ran)[2]


@st.composite
def counts(draw: st.DrawFn) -> Report:
    """Draw a report without records, with findings of more runs than are named."""
    name = st.sampled_from(["a", "b"])
    number = st.integers(0, 3)
    runs = draw(st.lists(st.integers(0, 60), max_size=30, unique=True))
    flow = {
        "runs": draw(number),
        "steps": draw(st.dictionaries(name, number)),
        "edges": [
            {"before": "a", "after": "b", "witnessed": draw(number), "contradicted": 1}
        ],
        "violations": [
            {
                "step": draw(name),
                "run": str(run),
                "code": "R1",
                "message": "wrong",
                "count": draw(number),
            }
            for run in runs
        ],
        "foreign": [{"flow": "mail", "step": draw(name), "count": draw(number)}],
    }
    return {"flows": {draw(st.sampled_from(["orders", "billing"])): flow}}


def in_one_order(value: Any) -> Any:
    """Return a report with each of its lists sorted: their order says nothing."""
    if isinstance(value, dict):
        return {key: in_one_order(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((in_one_order(one) for one in value), key=repr)
    return value


@given(split_runs(), st.lists(counts(), max_size=4), st.data())
def test_reports_merge_in_any_order_and_in_any_groups(
    run: tuple[Flow, list[Activation], list[int]],
    others: list[Report],
    data: st.DataObject,
) -> None:
    """Whatever was merged before: the whole is the same, decided or still open."""
    reports = [*play(run, set(run[0])), *others]
    shuffled = data.draw(st.permutations(reports))
    cut, is_complete = data.draw(st.integers(0, len(reports))), data.draw(st.booleans())
    groups = [ConformanceReport.merge(shuffled[:cut]).to_dict(), *shuffled[cut:]]

    one = ConformanceReport.merge(reports, complete=is_complete)
    other = ConformanceReport.merge(groups, complete=is_complete)

    assert in_one_order(one.to_dict()) == in_one_order(other.to_dict())
