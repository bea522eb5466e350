"""The table of verdicts: live, and from everything that can be stored of a run."""

# a table

from __future__ import annotations

import asyncio
import sys
import tomllib
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import penstock
from penstock._registry import registry
from penstock.conformance.judge import process_judge
from penstock.runs.judging import judge
from penstock.runs.trees import operations_of
from tests.support.stored_lines import stored_log

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry")
pytest.importorskip("celery", reason="needs celery")

from celery import Celery, _state

from penstock.contrib.celery import uninstall_celery_signals
from penstock.contrib.threads import FlowThreadPoolExecutor
from tests.support.stored_spans import recorded_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from penstock.runs.lines import StoredLine
    from penstock.runs.operation import OrderJudgement

pytestmark = pytest.mark.usefixtures("recorded")

CORPUS = Path(__file__).parents[1] / "checking/corpus/verdicts.toml"
PROGRAMS: dict[str, str] = {
    row["does"]: row["program"]
    for row in tomllib.loads(CORPUS.read_text(encoding="utf-8"))["row"]
}
HEAD = "import asyncio\nfrom penstock import all_of, flow\n\nf = flow('orders')\n"

HOLDS = ["in order"]
BROKEN = ["out of order"]
UNKNOWN = ["unknown"]
LATE_CHARGE = {"R1 charge", "validate->charge"}
LATE_NOTIFY = {"R1 notify", "reserve->notify"}


class Row(NamedTuple):
    """A program, how it is run, and what is said of it.

    ``live`` are the rules and edges that the live judge finds broken, ``stored`` the
    verdicts from lines and from spans, which see all processes.
    """

    does: str
    live: set[str]
    stored: list[str]
    run: Callable[[Any], Any] = lambda module: module.receive()
    how: str = ""

    def __str__(self) -> str:
        return self.does + self.how


def in_loop(module: Any) -> None:
    """Run an async entrypoint."""
    asyncio.run(module.receive())


def with_pool(module: Any) -> None:
    """Give the entrypoint a pool."""
    with FlowThreadPoolExecutor(1) as pool:
        module.receive(pool)


ROWS = [
    Row(
        "entrypoint calls validate, charge, ship in turn; edges are a chain",
        set(),
        HOLDS,
    ),
    Row("entrypoint calls fetch, which calls sync directly", set(), HOLDS),
    Row("entrypoint calls fetch, which calls sync by helpers", set(), HOLDS),
    Row(
        "after=[api, admin], one entrypoint a run",
        set(),
        HOLDS * 2,
        lambda m: (m.api(), m.admin()),
    ),
    Row("join after a sequence", set(), HOLDS),
    Row("join after gather", set(), HOLDS, in_loop),
    Row(
        "join: charge, send, reserve; send after both of a list",
        {"reserve->send"},
        BROKEN,
    ),
    Row(
        "join: charge, send, reserve; send after all_of",
        {"R3 send", "reserve->send"},
        BROKEN,
    ),
    Row("one branch of the join skipped", set(), HOLDS, lambda m: m.receive(False)),
    Row(
        "if x: enrich() then save; save after enrich only",
        {"R1 save"},
        BROKEN,
        lambda m: m.start(False),
    ),
    Row("the same, save after [start, enrich]", set(), HOLDS, lambda m: m.start(False)),
    Row("loop of validate, charge", set(), HOLDS, lambda m: m.receive("abc")),
    Row("loop of charge, validate", {"R1 charge"}, BROKEN, lambda m: m.receive("abc")),
    Row("for i in produce(): consume(i)", set(), HOLDS),
    Row(
        "gather(validate(), charge()), validate suspends",
        LATE_CHARGE,
        BROKEN,
        in_loop,
    ),
    Row(
        "gather(validate(), charge()), validate does not suspend", set(), HOLDS, in_loop
    ),
    Row(
        "task for validate not awaited before charge",
        LATE_CHARGE,
        BROKEN,
        in_loop,
    ),
    Row("task for validate awaited before charge", set(), HOLDS, in_loop),
    Row("a group of tasks, then charge", set(), HOLDS, in_loop),
    Row("refund after a charge that failed", set(), HOLDS),
    Row("retries", set(), HOLDS),
    Row("submit(validate).result(), then charge", set(), HOLDS, with_pool),
    Row(
        "submit(validate).result(), then charge, with penstock's own executor",
        set(),
        HOLDS,
    ),
    Row("ship without charge", {"R1 ship"}, BROKEN),
    Row("predecessor never called", set(), HOLDS),
    Row(
        "charge calls its own predecessor inside itself",
        LATE_CHARGE,
        BROKEN,
    ),
    Row(
        "an unmarked override of fetch runs, then store; store after fetch",
        set(),
        HOLDS,
        lambda m: m.Csv().run(),
    ),
    Row("store(parse(load())), a chain of generator steps", set(), HOLDS),
    Row(
        "notify.delay(), then reserve; notify after reserve",
        LATE_NOTIFY,
        BROKEN,
    ),
    Row("reserve(), then notify.delay()", set(), HOLDS),
    Row(
        "in a task's body: ship(); charge(); ship after charge",
        {"charge->ship"},
        BROKEN,
    ),
    Row("validate.delay(), then charge", set(), BROKEN),
    Row("validate.delay(), then charge.delay()", set(), BROKEN),
    Row(
        "the first of two tasks that meet at a counter sends the join",
        set(),
        HOLDS,
        lambda m: meet(m, 2),
        how="; the second",
    ),
    Row(
        "the first of two tasks that meet at a counter sends the join",
        set(),
        BROKEN,
        lambda m: meet(m, 1),
        how="; the first",
    ),
]
EAGER = [
    Row("reserve(), then notify.delay()", set(), HOLDS),
    Row(
        "notify.delay(), then reserve; notify after reserve",
        LATE_NOTIFY,
        BROKEN,
    ),
    Row(
        "notify called as a function, then reserve; notify after reserve",
        LATE_NOTIFY,
        BROKEN,
    ),
    Row("validate.delay(), then charge", set(), HOLDS),
    Row("validate.delay(), then charge.delay()", set(), HOLDS),
    Row("a chain of charge and validate", LATE_CHARGE, BROKEN),
]


def meet(module: Any, last: int) -> None:
    """Let the second task that asks be the last one, or the first."""
    asked = count(1)
    module.is_last = lambda: next(asked) == last
    module.receive()


class Observed(NamedTuple):
    """What a program did: the live verdict, and what was stored."""

    live: set[str]
    lines: list[StoredLine]
    spans: list[StoredLine]


@pytest.fixture
def queue() -> Iterator[Celery]:
    """Give an app whose broker is in memory, with a queue of its own."""
    finalizers = _state._on_app_finalizers  # noqa: SLF001  # where shared tasks stay
    shared = set(finalizers)
    app = Celery("tests", broker="memory://", backend="cache+memory://")
    app.conf.task_default_queue = "verdicts"
    app.set_current()
    app.set_default()
    receive_all(app, run=False)
    yield app
    app.close()
    _state.set_default_app(None)
    finalizers.intersection_update(shared)
    uninstall_celery_signals()


def receive_all(app: Celery, *, run: bool = True) -> None:
    """Run the tasks whose messages wait, and those that they send, as a worker does."""
    with app.connection_for_read() as connection:
        waiting = connection.SimpleQueue("verdicts")
        while waiting.qsize():
            message = waiting.get_nowait()
            message.ack()
            args, kwargs, _ = message.payload
            task = app.tasks[message.headers["task"]]
            if run:
                task.apply(args, kwargs, headers=message.headers)
        waiting.close()


numbers = count()


def observe(row: Row, app: Celery, mode: str) -> Observed:
    """Run a program with every kind of recording."""
    process_judge.clear()
    penstock.forget_flow()
    module = ModuleType(f"program{next(numbers)}")  # Celery knows tasks by module
    sys.modules[module.__name__] = module
    exec(HEAD + PROGRAMS[row.does], vars(module))  # noqa: S102  # a module
    with recorded_spans(mode) as spans, stored_log() as log:
        row.run(module)
        receive_all(app)
    return Observed(live_verdict(), log.lines(), spans())


def live_verdict() -> set[str]:
    """Return each rule that broke, with its step or edge."""
    found = penstock.conformance_report().to_dict()["flows"]["orders"]
    codes = {f"{v['code']} {v['step']}" for v in found["violations"]}
    edges = {
        f"{edge['before']}->{edge['after']}"
        for edge in found["edges"]
        if edge["status"] == "contradicted"
    }
    return {code for code in codes if not code.startswith("R2")} | edges


def stored_verdicts(lines: Iterable[StoredLine]) -> list[str]:
    """Return the verdict on each run."""
    return [one.verdict for one in judgements(lines)]


def judgements(lines: Iterable[StoredLine]) -> list[OrderJudgement]:
    """Return what is said of each run."""
    flows = registry.infos()
    found = operations_of(lines)
    return [each for operation in found for each in judge(operation, flows)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row, queue: Celery) -> None:
    """Each row has its verdict, whatever is stored of the run, in any order."""
    check(row, queue)


@pytest.mark.parametrize("row", EAGER, ids=str)
def test_eager_tasks(row: Row, queue: Celery) -> None:
    """They are direct calls."""
    queue.conf.task_always_eager = True
    check(row, queue)


def check(row: Row, app: Celery) -> None:
    """Compare what is said live, and of everything that was stored."""
    each = observe(row, app, "each")
    run = observe(row, app, "run")

    assert each.live == run.live == row.live
    found = {
        "each": stored_verdicts(each.lines[::-1]),
        "run": stored_verdicts(run.lines[::-1]),
        "spans": stored_verdicts(each.spans),
        "each and spans": stored_verdicts(each.lines + each.spans),
        "run and spans": stored_verdicts(run.lines + run.spans),
    }
    assert found == dict.fromkeys(found, row.stored)


CACHED = """
import functools

@f.entrypoint
def receive():
    validate()
    charge()

@functools.cache
@f.step(after="receive")
def validate(): ...

@f.step(after="validate")
def charge(): ...
"""


def test_a_cache(queue: Celery) -> None:
    """It may have answered in the second run."""
    PROGRAMS["a cache"] = CACHED
    row = Row("a cache", set(), HOLDS + UNKNOWN, lambda m: (m.receive(), m.receive()))
    check(row, queue)


def test_spans_that_do_not_say_where_they_are_from(queue: Celery) -> None:
    """Then a sender's clock may be another one."""
    row = ROWS[-1]
    spans = observe(row, queue, "each").spans
    for span in spans:
        del span.fields["host.name"], span.fields["process.pid"]

    assert stored_verdicts(spans) == UNKNOWN
