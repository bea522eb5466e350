"""Reports from logs say the same as reports of the processes that wrote them."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from benchmarks.stored_runs import Rates, write
from penstock import LoggingBackend, configure, conformance_report
from penstock._registry import registry
from penstock._types import FlowInfo, StepInfo
from penstock.checking.recorded import read_evidence
from penstock.runs import judged_runs
from penstock.runs.calls import calls_of
from penstock.runs.evidence import count_order
from penstock.runs.log_files import LogFiles
from penstock.runs.open_runs import open_runs
from penstock.runs.order_counts import OrderCounts
from penstock.runs.python_engine import PythonRuns, lines_about_calls
from tests.conformance.test_no_false_findings import PROGRAMS, Shop
from tests.support.clickhouse import insert, served, span_of
from tests.support.shop_flows import shop_flows

pytest.importorskip("duckdb", reason="needs duckdb")

from penstock.runs.duckdb_engine import DuckDBRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from penstock.runs.figures import RunSource

pytestmark = pytest.mark.usefixtures("clean_counts")


@pytest.fixture(params=["each", "run"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Record the order of all runs, and write their log lines into a file."""
    configure(LoggingBackend(lines=request.param), conformance="record")
    handler = logging.FileHandler(tmp_path / "app.log")
    handler.setFormatter(penstock.JSONFormatter())
    logger = logging.getLogger("penstock")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield tmp_path / "app.log"
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    handler.close()


def counted(source: RunSource) -> OrderCounts:
    """Return what logs show about the declared order."""
    return count_order([source], registry.infos())


def without_texts(report: dict[str, Any]) -> dict[str, Any]:
    """Return the flows of a report, sorted, with violations but not their words."""
    flows = {}
    for name, one in report["flows"].items():
        violations: dict[tuple[str, ...], int] = {}
        for each in one["violations"]:
            key = each["step"], each["run"], each["code"], each["caller"]
            violations[key] = violations.get(key, 0) + each["count"]
        edges = {(each["before"], each["after"]): each for each in one["edges"]}
        foreign = {(each["flow"], each["step"]): each for each in one["foreign"]}
        flows[name] = {**one, "violations": violations, "edges": edges}
        flows[name]["foreign"] = foreign
    return flows


KNOWN_BY_LOGS = {"steps_by_hand", "process_pool_with_bind_flow", "fork_in_a_run"}
"""Where the lines of all processes say more than one process knows."""

KEPT = [one for one in PROGRAMS if one.__name__ not in KNOWN_BY_LOGS]


@pytest.mark.parametrize("program", KEPT, ids=lambda program: program.__name__)
def test_programs_that_keep_to_their_order(
    program: Callable[[Shop], None], log: Path
) -> None:
    """The counts are those of the live report, whatever reads the lines."""
    shop = Shop()
    for _ in range(2):
        program(shop)

    live = without_texts(conformance_report().to_dict())
    for source in both([log]):
        assert without_texts(counted(source).to_dict()) == live


def test_programs_that_break_it(log: Path) -> None:
    """The same holds for violations: step, run, rule, caller and number."""
    shop = Shop()
    shop.receive(shop.charge, shop.charge, shop.validate)
    shop.receive(shop.validate, shop.charge, shop.send, shop.reserve)
    shop.receive(lambda: shop.validate(shop.store), lambda: shop.bill(shop.charge))
    for _ in range(25):
        shop.receive(shop.validate)
        shop.receive(shop.charge)

    live = conformance_report().to_dict()
    assert {one["code"] for one in live["flows"]["orders"]["violations"]} == {
        "R1",
        "R2",
        "R3",
    }
    for source in both([log]):
        counts = counted(source)
        found = without_texts(counts.to_dict())
        expected = without_texts(live)
        assert totals(found) == totals(expected)
        assert counts.verdicts["orders"] == {"in order": 25, "out of order": 28}


@pytest.mark.parametrize("is_direct", [False, True])
def test_steps_of_other_flows(log: Path, *, is_direct: bool) -> None:
    """Those that messages bring into a run count for their own flow, others do not."""
    orders, billing = penstock.flow("orders"), penstock.flow("billing")

    @orders.entrypoint
    def receive() -> dict[str, str]:
        if is_direct:
            charge()
        return penstock.inject()

    @billing.step(after=receive)
    def charge() -> None: ...

    @billing.step(after=charge)
    def invoice() -> None:
        announce()

    @billing.step(after=invoice)
    def announce() -> None: ...

    @orders.step(after=receive)
    def done() -> None:
        announce()

    for _ in range(3):
        with penstock.continue_flow(receive()):
            charge()
            invoice()
            with penstock.continue_flow(penstock.inject()):
                done()

    for source in both([log]):
        counts = counted(source)
        steps = {"charge": 3, "invoice": 3, "announce": 6}
        assert counts.flows["billing"].steps == steps
        assert counts.flows["billing"].edges == {
            ("orders:receive", "charge"): [3, 0],
            ("charge", "invoice"): [3, 0],
            ("invoice", "announce"): [6, 0],
        }
        foreign = {("billing", "charge"): 3} if is_direct else {}
        assert counts.flows["orders"].foreign == foreign
        assert counts.verdicts["billing"] == {"in order": 3}
    (_, by_duckdb) = both([log])
    left = by_duckdb.count_clear(registry.infos(), OrderCounts.of(registry.infos()))
    assert len(left) == (3 if is_direct else 0)


def test_steps_of_one_message(log: Path) -> None:
    """Code that handles a message calls one step after the other."""
    orders = penstock.flow("orders")

    @orders.entrypoint
    def receive() -> list[dict[str, str]]:
        return [penstock.inject(), penstock.inject()]

    @orders.step(after=receive)
    def validate() -> None: ...

    @orders.step(after=validate)
    def charge() -> None: ...

    for is_two in (False, False, True):
        first, second = receive()
        with penstock.continue_flow(first):
            validate()
            if not is_two:
                charge()
        with penstock.continue_flow(second):
            if is_two:
                charge()

    for source in both([log]):
        counts = counted(source)
        assert counts.flows["orders"].edges["validate", "charge"] == [2, 1]
        assert counts.verdicts["orders"] == {"in order": 2, "out of order": 1}
    (_, by_duckdb) = both([log])
    infos = registry.infos()
    assert len(by_duckdb.count_clear(infos, OrderCounts.of(infos))) == 1


def totals(flows: dict[str, Any]) -> dict[str, Any]:
    """Leave the runs out of violations: only 20 are named, and not the same ones."""
    for one in flows.values():
        counts = Counter[tuple[str, ...]]()
        for (step, _, code, caller), number in one["violations"].items():
            counts[step, code, caller] += number
        one["violations"] = counts
    return flows


def line(event: str, at_ms: int, flow: str, step: str, call: int, **more: Any) -> str:
    """Return a line of one operation, whose first call is that of orders."""
    ids = {"correlation_id": "c", "root_id": "c", "call_id": f"p-{call}"}
    time = f"2026-11-30T10:00:00.{at_ms:03}500Z"
    fields = {"flow_event": event, "flow": flow, "step": step, **ids, **more}
    ended = {} if event == "step.start" else {"outcome": "ok", "duration_ms": 1.0}
    return json.dumps({"timestamp": time, **fields, **ended})


@pytest.mark.parametrize("knows_both", [True, False])
def test_predecessors_in_other_flows_and_services(
    tmp_path: Path, *, knows_both: bool
) -> None:
    """They are witnessed if they were before the call, and never held against it."""
    receive = StepInfo("receive", "orders", is_entrypoint=True)
    orders = FlowInfo("orders", (receive, StepInfo("charge", "orders")), service="shop")
    after = (("shop/orders:charge",), ("shop/orders:ship",))
    steps = (
        StepInfo("bill", "billing", is_entrypoint=True),
        StepInfo("book", "billing", after=after),
    )
    billing = FlowInfo("billing", steps, service="shop")
    outer = {"service": "shop", "run_id": "p-1"}
    inner = {"service": "shop", "run_id": "p-3"}
    top, below = {"parent_call_id": "p-1"}, {"parent_call_id": "p-3"}
    log = tmp_path / "app.log"
    written = [
        line("step.start", 1, "orders", "receive", 1, **outer),
        line("step.start", 2, "orders", "charge", 2, **outer, **top),
        line("step.end", 3, "orders", "charge", 2, **outer, **top),
        line("step.start", 4, "billing", "bill", 3, **inner, **top),
        line("step.start", 5, "billing", "book", 4, **inner, **below),
        line("step.end", 6, "billing", "book", 4, **inner, **below),
        line("step.end", 7, "billing", "bill", 3, **inner, **top),
        line("step.end", 8, "orders", "receive", 1, **outer),
    ]
    log.write_text("\n".join(written))

    flows = [orders, billing] if knows_both else [billing]
    for source in both([log]):
        counts = count_order([source], flows)
        assert counts.flows["billing"].edges == {
            ("shop/orders:charge", "book"): [1, 0],
            ("shop/orders:ship", "book"): [0, 0],
        }
        assert counts.verdicts["billing"] == {"in order": 1}
        verdict = "in order" if knows_both else "unknown"
        assert counts.verdicts["orders"] == {verdict: 1}
    assert DuckDBRuns([str(log)]).count_clear(flows, OrderCounts.of(flows)) == []


@pytest.mark.parametrize("lines", ["each", "run"])
def test_generated_logs(lines: str, tmp_path: Path) -> None:
    """DuckDB and Python count the same in runs that break, crash and lose lines."""
    flows = shop_flows()
    rates = Rates(broken=0.05, failed=0.05, crashed=0.03, lost=0.002, garbage=0.01)
    truth = write(tmp_path, 300, rates, lines=lines)
    logs = sorted(tmp_path.glob("*.log"))

    by_python, by_duckdb = (count_order([source], flows) for source in both(logs))

    assert by_duckdb.to_dict() == by_python.to_dict()
    assert by_duckdb.verdicts == by_python.verdicts
    assert by_duckdb.broken == by_python.broken
    verdicts = by_duckdb.verdicts["orders"]
    assert verdicts.total() >= truth.runs - len(truth.lost)
    gaps = {*truth.lost, *truth.crashed}
    assert len({*truth.broken} - gaps) <= verdicts["out of order"] <= len(truth.broken)
    assert 0 < verdicts["unknown"] <= len(gaps)


def test_duckdb_judges_few(tmp_path: Path) -> None:
    """What clearly kept the order is not read again, nor what is clearly unknown."""
    flows = shop_flows()
    truth = write(tmp_path, 300, Rates(broken=0.05, crashed=0.05, lost=0.0))
    source = DuckDBRuns([str(path) for path in tmp_path.glob("*.log")])

    left = source.count_clear(flows, OrderCounts.of(flows))

    assert {*left} == {*truth.broken}


def test_many_suspects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Operations are judged in batches."""
    monkeypatch.setattr(judged_runs, "OPERATIONS_AT_ONCE", 4)
    (flow,) = shop_flows()
    write(tmp_path, 30, Rates(crashed=0, lost=0))
    late = replace(flow.steps[1], after=(("fraud",),))
    changed = replace(flow, steps=(flow.steps[0], late, *flow.steps[2:]))

    by_python, by_duckdb = (
        count_order([source], [changed])
        for source in both(sorted(tmp_path.glob("*.log")))
    )

    assert by_duckdb.to_dict() == by_python.to_dict()
    assert by_duckdb.broken == by_python.broken
    assert by_duckdb.broken["orders", "fraud", "stock"].runs > 25


def test_clickhouse(tmp_path: Path) -> None:
    """Spans in ClickHouse count as much as the lines of the same calls."""
    if find_spec("chdb") is None:
        pytest.skip("needs chdb")
    pytest.importorskip("clickhouse_connect", reason="needs clickhouse-connect")
    flows = shop_flows()
    truth = write(tmp_path, 60, Rates(broken=0.3, crashed=0, lost=0, garbage=0))
    logs = sorted(tmp_path.glob("*.log"))
    lines = lines_about_calls(LogFiles([str(log) for log in logs]))

    with served() as address:
        insert(address, list(map(span_of, calls_of(lines))))
        by_clickhouse = count_order([open_runs([address])], flows)
        note, *_ = read_evidence([address.replace("//", "//me:secret@")], flows).notes

    (by_python, _) = (count_order([source], flows) for source in both(logs))
    assert by_clickhouse.to_dict() == by_python.to_dict()
    assert by_clickhouse.verdicts["orders"]["out of order"] == len(truth.broken)
    assert note.startswith(f"{address}: 60 runs of orders: ")


def both(logs: Sequence[Path]) -> Iterator[RunSource]:
    """Yield the sources that read log lines."""
    paths = [str(path) for path in logs]
    yield PythonRuns(LogFiles(paths))
    yield DuckDBRuns(paths)
