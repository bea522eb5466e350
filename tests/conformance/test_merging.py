"""Reports of several processes: what they decide together about edges that cross."""

from __future__ import annotations

import json
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import ConformanceReport, all_of, configure, flow, start_flow
from penstock._registry import registry
from penstock.conformance.counters import Book
from penstock.conformance.crossing import clock
from penstock.conformance.judge import judge
from penstock.testing import in_flow
from tests.support.call_styles import run_python

pytestmark = pytest.mark.usefixtures("recorded")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Report = dict[str, Any]


class Process:
    """What one process declares, runs and reports; several share a real one in turn."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._book = Book()
        self._flows: Any = {}

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Be this process, for a while."""
        configure(service=self._name)
        book, judge.book = judge.book, self._book
        flows = registry.swap(self._flows)
        try:
            yield
        finally:
            self._flows = registry.swap(flows)
            judge.book = book
            configure(service="")

    def report(self) -> Report:
        """Return its report, as a file holds it."""
        with self():
            found = penstock.conformance_report().to_dict()
        return dict(json.loads(json.dumps(found)))


class Shop:
    """A flow whose join may have each step in another process."""

    def __init__(self, join: Any = None) -> None:
        orders = flow("orders")
        self.receive = orders.entrypoint(name="receive")(_call)
        self.charge = orders.step(name="charge", after="receive")(_call)
        self.reserve = orders.step(name="reserve", after="receive")(_call)
        after = all_of("charge", "reserve") if join is None else join
        self.send = orders.step(name="send", after=after)(_call)


def _call(*inner: Callable[[], Any]) -> None:
    for one in inner:
        one()


def played(*events: str, join: Any = None) -> list[Report]:
    """Run a shop in several processes; return the report of each.

    ``receive`` sends one message to each; what they call is said as ``process:step``.
    """
    processes = {name: Process() for name in "abc"}
    shops: dict[str, Shop] = {}
    for name, process in processes.items():
        with process():
            shops[name] = Shop(join)
    carriers: list[dict[str, str]] = []
    with processes["a"]():
        shops["a"].receive(lambda: carriers.append(penstock.inject()))
    for event in events:
        name, _, step = event.partition(":")
        with processes[name](), penstock.continue_flow(carriers[0]):
            getattr(shops[name], step)()
    return [process.report() for process in processes.values()]


def merged(reports: list[Report], **options: Any) -> dict[str, Any]:
    """Return what several reports say of the shop."""
    found: dict[str, Any] = ConformanceReport.merge(reports, **options).to_dict()
    return found


def edges(report: Report, name: str = "orders") -> dict[str, tuple[int, int]]:
    """Return how often each edge was witnessed and contradicted."""
    return {
        f"{e['before']}->{e['after']}": (e["witnessed"], e["contradicted"])
        for e in report["flows"][name]["edges"]
    }


def violations(report: Report, name: str = "orders") -> list[str]:
    """Return each rule that broke, with its step."""
    return [f"{v['code']} {v['step']}" for v in report["flows"][name]["violations"]]


def test_what_ended_in_another_process_is_a_witness() -> None:
    """Both branches of a join, of which the process of the join knows neither."""
    reports = played("a:charge", "b:reserve", "c:send")
    live = [edges(report) for report in reports]
    assert {
        one[edge] for one in live for edge in ("charge->send", "reserve->send")
    } == {(0, 0)}

    found = merged(reports)

    assert edges(found)["charge->send"] == edges(found)["reserve->send"] == (1, 0)
    assert violations(found) == []


SENTENCE = (
    "orders/send ({place}) ran, when 'reserve' had not ended. Fix: call what is "
    "missing first, and wait for it, or declare that one is enough: "
    "after=['charge', 'reserve']."
)


def test_what_is_in_no_record_convicts_where_they_are_complete() -> None:
    """The message names the step, the edge and the fix; the run is named beside it."""
    reports = played("a:charge", "c:send")

    assert violations(merged(reports)) == []
    found = merged(reports, complete=True)

    (violation,) = found["flows"]["orders"]["violations"]
    place = violation["message"].partition("(")[2].partition(")")[0]
    assert place.startswith(__file__)
    assert violation["message"] == SENTENCE.format(place=place)
    assert (violation["code"], violation["step"]) == ("R3", "send")
    assert violation["run"] == reports[0]["crossings"]["runs"][0]["run"]


ORDERS: dict[str, tuple[list[str], Any, list[str], tuple[int, int]]] = {
    "in turn": (["b:reserve", "a:charge", "c:send"], None, [], (1, 0)),
    "one after": (
        ["a:charge", "c:send", "b:reserve"],
        None,
        ["R3 send", "R2 send"],
        (0, 1),
    ),
    "both missing": (["c:send"], None, ["R1 send"], (0, 0)),
    "one of two": (["a:charge", "c:send"], ["charge", "reserve"], [], (0, 0)),
    "one of two, the other after": (
        ["a:charge", "c:send", "b:reserve"],
        ["charge", "reserve"],
        ["R2 send"],
        (0, 1),
    ),
    "one of two, and again after both": (
        ["a:charge", "c:send", "b:reserve", "c:send"],
        ["charge", "reserve"],
        [],
        (1, 0),
    ),
    "a loop": (
        ["a:charge", "c:send", "b:reserve", "c:send", "b:reserve"],
        ["charge", "reserve", "send"],
        [],
        (1, 0),
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders(name: str) -> None:
    """What complete records say of the join's second edge, and of its calls."""
    events, join, expected, edge = ORDERS[name]

    found = merged(played(*events, join=join), complete=True)

    assert violations(found) == expected
    assert edges(found)["reserve->send"] == edge
    assert "crossings" not in found


def test_what_did_not_cross_leaves_no_trace() -> None:
    """The document is as it always was."""
    shop = Shop()
    shop.receive(shop.charge, shop.reserve, shop.send)

    assert list(penstock.conformance_report().to_dict()) == ["flows"]


def test_a_merged_report_merges_further() -> None:
    """In any groups the whole is the same; what is said to be complete is closed."""
    one, two, three = played("a:charge", "b:reserve", "c:send")
    in_two = ConformanceReport.merge([one, three])

    assert merged([two, in_two.to_dict()]) == merged([two, in_two])  # type: ignore[list-item]  # reports, too
    assert merged([merged([one, two, three])]) == merged([one, two, three])
    closed = ConformanceReport.merge([one, three], complete=True).to_dict()
    assert violations(closed) == ["R3 send"]
    assert violations(merged([closed, two], complete=True)) == ["R3 send"]


def test_reports_from_before_merge() -> None:
    """They have no records, and so decide nothing."""
    reports = played("a:charge", "b:reserve", "c:send")
    for report in reports:
        del report["crossings"]

    assert edges(merged(reports, complete=True))["reserve->send"] == (0, 0)


@pytest.mark.parametrize(
    "crossings",
    [
        7,
        {},
        {"runs": [7], "dropped": []},
        {"runs": [{}], "dropped": []},
        {"runs": [], "dropped": [{"clock": "a"}]},
    ],
    ids=str,
)
def test_records_that_are_none_are_refused(crossings: Any) -> None:
    """As the rest of a report."""
    report = {"flows": {}, "crossings": crossings}

    with pytest.raises(penstock.ConfigurationError, match="is no conformance report"):
        ConformanceReport.merge([report])


@pytest.mark.parametrize("key", ["began", "steps"])
def test_broken_times_are_refused(key: str) -> None:
    """Each moment is a number."""
    reports = played("a:charge", "c:send")
    (run,) = reports[2]["crossings"]["runs"]
    if key == "began":
        run["calls"][0]["began"] = None
    else:
        run["steps"]["send"] = [1, 2]

    with pytest.raises(penstock.ConfigurationError, match="is no conformance report"):
        merged(reports)


@pytest.mark.parametrize("events", [["b:reserve", "c:send"], ["c:send", "b:reserve"]])
def test_clocks_of_two_machines_decide_nothing_within_the_margin(
    events: list[str],
) -> None:
    """Neither that it was before, nor that it was not."""
    reports = played("a:charge", *events)
    for run in reports[1]["crossings"]["runs"]:
        run["clock"] = "another machine"

    open_ = merged(reports, complete=True)
    decided = merged(reports, complete=True, margin_s=0)

    assert edges(open_)["reserve->send"] == (0, 0)
    assert violations(open_) == []
    is_before = events[0] == "b:reserve"
    assert edges(decided)["reserve->send"] == ((1, 0) if is_before else (0, 1))
    assert violations(decided) == ([] if is_before else ["R3 send", "R2 send"])


def test_nothing_is_convicted_from_what_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a process had no room for is counted; what began later is decided."""
    monkeypatch.setattr("penstock.conformance.crossing.MAX_RUNS", 1)
    early = played("a:charge", "c:send")
    for report in early[::2]:
        run = report["crossings"]["runs"][0]
        report["crossings"]["dropped"] = [
            {"clock": run["clock"], "runs": 3, "until": run["opened"]}
        ]
    assert violations(merged(early, complete=True)) == []
    assert len(merged(early, complete=True)["crossings"]["dropped"]) == 2

    shop = Shop()
    for _ in range(3):
        shop.receive(penstock.inject)
    (dropped,) = penstock.conformance_report().to_dict()["crossings"]["dropped"]
    assert dropped["runs"] == 2
    monkeypatch.undo()
    late = played("a:charge", "c:send")
    full = {"flows": {}, "crossings": {"runs": [], "dropped": [dropped]}}
    assert violations(merged([full, *late], complete=True)) == ["R3 send"]
    without_origin = [full, *late[1:]]
    assert violations(merged(without_origin, complete=True)) == []


def test_calls_of_one_run_beyond_the_limit_convict_nobody() -> None:
    """They are not all kept, so that nothing can be said of what is missing."""
    shop = Shop()
    carriers: list[dict[str, str]] = []
    shop.receive(lambda: carriers.append(penstock.inject()))
    for number in (100, 101):
        with penstock.continue_flow(carriers[0]):
            for _ in range(number):
                shop.send()

    report = penstock.conformance_report().to_dict()
    runs = report["crossings"]["runs"]
    assert [len(run["calls"]) for run in runs] == [0, 100, 100]
    found = merged([report], complete=True)["flows"]["orders"]["violations"]
    assert [v["count"] for v in found] == [100]


def test_a_run_of_another_flow_decides_about_an_edge_from_it() -> None:
    """A consumer of another service: its flow follows a step of the sender's."""
    shop, mail = Process("shop"), Process("mail")
    carriers: list[dict[str, str]] = []
    with shop():
        orders = flow("orders")
        publish = orders.step(name="publish", after="receive")(_call)
        receive = orders.entrypoint(name="receive")(_call)
    with mail():
        letters = flow("letters")
        after = ["shop/orders:publish"]
        write = letters.step(name="write", after=after)(_call)
        begin = letters.entrypoint(name="begin", after=after)(_call)
        stamp = letters.step(name="stamp", after="begin")(_call)
    with shop():
        receive(lambda: carriers.append(penstock.inject()), publish)
        receive(lambda: carriers.append(penstock.inject()))
    for carrier in carriers:
        with mail(), penstock.continue_flow(carrier):
            write()
            begin(stamp)

    reports = [shop.report(), mail.report()]
    assert edges(reports[1], "letters")["shop/orders:publish->write"] == (0, 0)
    found = merged(reports, complete=True)
    assert edges(found, "letters") == {
        "shop/orders:publish->write": (1, 0),
        "shop/orders:publish->begin": (1, 0),
        "begin->stamp": (2, 0),
    }
    assert violations(found, "letters") == ["R1 write"]


def test_runs_inside_a_run_count_for_the_operation() -> None:
    """What another flow did before the message, as a run of its own or as a step."""
    here, there = Process(), Process()
    carriers: list[dict[str, str]] = []

    def send() -> None:
        carriers.append(penstock.inject())

    with here():
        orders, billing = flow("orders"), flow("billing")
        receive = orders.entrypoint(name="receive")(_call)
        begin = billing.entrypoint(name="begin")(_call)
        invoice = billing.step(name="invoice", after="begin")(_call)
        audit = billing.step(name="audit", after="begin")(_call)
    with there():
        steps = [
            flow("stock").step(name=f"take after {name}", after=f"billing:{name}")(
                _call
            )
            for name in ("begin", "invoice", "audit", "nothing")
        ]
    with here():
        receive(lambda: begin(invoice), audit, send, lambda: begin(send), audit)
    with there():
        for carrier in carriers:
            with penstock.continue_flow(carrier):
                for step in steps:
                    step()

    found = merged([here.report(), there.report()], complete=True)

    counts = [witnessed for witnessed, _ in edges(found, "stock").values()]
    assert counts == [2, 2, 2, 0]
    assert set(violations(found, "stock")) == {"R1 take after nothing"}


def test_an_id_is_enough_to_witness_and_not_to_convict() -> None:
    """Whoever believes the ID alone was told nothing of what had happened."""
    here, there = Process(), Process()
    carriers: list[dict[str, str]] = []
    with here():
        shop = Shop()
        shop.receive(lambda: carriers.append(penstock.inject()), shop.charge)
    with there():
        other = Shop()
        with penstock.continue_flow(carriers[0], trust="id"):
            other.send()

    found = merged([here.report(), there.report()], complete=True)

    assert edges(found)["charge->send"] == (1, 0)
    assert violations(found) == []


def test_a_context_opened_by_hand_is_convicted_by_nothing() -> None:
    """Nobody knows what was before it; what was sent from it may still witness."""
    shop = Shop()
    with start_flow():
        shop.send()
        penstock.inject()
        shop.reserve()
        shop.send()
    with start_flow(), in_flow("orders", done={"receive"}):
        penstock.inject()
        shop.charge()
        shop.send()

    report = penstock.conformance_report().to_dict()
    found = merged([report], complete=True)

    assert violations(found) == violations(report)
    assert edges(found)["reserve->send"] == (1, 0)


def test_a_task_called_in_its_own_process_is_decided_there() -> None:
    """An edge that crosses, and did not."""
    orders = flow("orders")
    receive = orders.entrypoint(name="receive")(_call)
    ship = orders.step(name="ship", after="billing:invoice")(_call)

    receive(ship)
    found = merged([penstock.conformance_report().to_dict()], complete=True)

    assert violations(found) == ["R1 ship"]


def test_a_step_below_what_nobody_knows_convicts_nobody() -> None:
    """In a thread that was given the bare context, something may be open above."""
    shop = Shop()
    contexts: list[Any] = []
    shop.receive(lambda: contexts.append(penstock.get_flow_context()), penstock.inject)
    penstock.bind_flow(shop.send, contexts[0])()

    found = merged([penstock.conformance_report().to_dict()], complete=True)

    assert violations(found) == []


PROGRAM = """
    import json, sys, time
    import penstock
    from penstock import all_of, flow

    orders = flow("orders")

    @orders.entrypoint
    def receive():
        validate()
        carrier = penstock.inject()
        if sys.argv[1] == "all":
            reserve()
        print(json.dumps(carrier))

    @orders.step(after=receive)
    def validate(): ...

    @orders.step(after=validate)
    def reserve(): ...

    @orders.step(after=all_of(validate, reserve))
    def send(): ...

    if len(sys.argv) == 2:
        receive()
    else:
        with penstock.continue_flow(json.loads(sys.argv[2])):
            send()
"""


@pytest.mark.parametrize("what", ["all", "some"])
def test_two_processes(tmp_path: Path, what: str) -> None:
    """What the sender did after it had sent, and what it did not do."""
    env = {"PENSTOCK_CONFORMANCE": "record", "PENSTOCK_CONFORMANCE_DIR": str(tmp_path)}
    carrier, errors = run_python(PROGRAM, what, **env)
    assert not errors
    run_python(PROGRAM, what, carrier, **env)

    found = ConformanceReport.merge(tmp_path.glob("*.json"), complete=True).to_dict()

    is_all = what == "all"
    assert edges(found)["validate->send"] == (1, 0)
    assert edges(found)["reserve->send"] == (int(is_all), 0)
    assert violations(found) == ([] if is_all else ["R3 send"])


def test_a_run_that_goes_on_after_its_records_were_cleared() -> None:
    """As in a forked child: what it does from there is kept anew."""
    shop = Shop()
    with start_flow():
        penstock.inject()
        shop.charge()
        judge.clear()
        shop.reserve()

    (run,) = penstock.conformance_report().to_dict()["crossings"]["runs"]
    assert "reserve" in run["steps"]


def test_a_run_that_was_seen_in_part_convicts_nobody() -> None:
    """It tells so to whoever gets its message, and keeps it in mind."""
    shop = Shop()

    def pause() -> None:
        configure(conformance="off")
        configure(conformance="record")

    carriers: list[dict[str, str]] = []
    shop.receive(pause, lambda: carriers.append(penstock.inject()))
    with penstock.continue_flow(carriers[0]):
        shop.send()
    shop.receive(penstock.inject, pause)

    assert json.loads(carriers[0]["penstock"])["done"][-1] is None
    report = penstock.conformance_report().to_dict()
    assert violations(merged([report], complete=True)) == []


def test_an_operation_begins_where_it_first_crossed() -> None:
    """Of two runs in one, that which sent first; a run around counts, too."""
    outer, inner = flow("outer"), Shop()
    around = outer.entrypoint(name="around")(_call)
    around(lambda: inner.receive(penstock.inject))
    reports = [penstock.conformance_report().to_dict()]
    runs = reports[0]["crossings"]["runs"]
    assert [run["is_origin"] for run in runs] == [True, True]
    runs[0]["opened"], runs[1]["opened"] = sorted(
        (run["opened"] for run in runs), reverse=True
    )
    for run in runs:
        call = {
            "step": "send",
            "began": run["opened"],
            "after": [["charge"]],
            "places": {},
            "before": [],
            "unknown": ["charge"],
            "place": "",
            "caller": "",
            "is_judged": True,
        }
        run["calls"] = [call]
    clock, first = runs[0]["clock"], runs[1]["opened"]

    for until, found in ((first - 1, 2), (first, 0)):
        dropped = [{"clock": clock, "runs": 1, "until": until}]
        reports[0]["crossings"]["dropped"] = dropped
        flows = merged(reports, complete=True)["flows"].values()
        assert sum(len(one["violations"]) for one in flows) == found


def test_an_edge_that_was_declared_anew_is_told_by_its_new_name() -> None:
    """What the old declaration named is not asked for any more."""
    shop = Shop()

    def declare() -> None:
        shop.send = flow("orders").step(name="send", after="charge")(_call)

    shop.receive(penstock.inject, shop.charge, shop.reserve, shop.send, declare)

    (run,) = penstock.conformance_report().to_dict()["crossings"]["runs"]
    assert ["charge", "send"] in run["witnessed"]
    assert ["reserve", "send"] not in run["witnessed"]


def test_a_machine_that_names_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock goes by the machine's name, as on all but Linux."""

    def read_text(*_: object) -> str:
        raise FileNotFoundError

    clock.cache_clear()
    monkeypatch.setattr("pathlib.Path.read_text", read_text)
    try:
        assert clock() == platform.node()
    finally:
        clock.cache_clear()


def test_a_failure_of_ours_stops_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is sent, and the run goes on."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("penstock.conformance.crossing.Crossing.look", fail)
    shop = Shop()
    sent: list[dict[str, str]] = []
    shop.receive(lambda: sent.append(penstock.inject()))

    assert "penstock" in sent[0]
