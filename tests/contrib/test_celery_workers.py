"""Celery's workers: one ID in the caller and in every task, in every shape and pool."""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock._registry import FlowOptions, registry
from penstock._steps.marked import find_marked
from tests.support import servers
from tests.support.odd_values import ODD

pytest.importorskip("celery", reason="needs celery")
pytest.importorskip("redis", reason="needs redis")

from penstock.conformance.judge import process_judge
from penstock.contrib.celery import install_celery_signals
from tests.contrib.celery_app import ordered, shapes, tasks
from tests.contrib.celery_app.workers import deployed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture(autouse=True)
def connected_signals() -> None:
    """Connect what importing the tasks did, and another test may have undone."""
    install_celery_signals()


@pytest.fixture(autouse=True)
def closed_sockets() -> Generator[None]:
    """Collect the sockets that Celery leaves to the collector, at no other's cost."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


POOLS = ("prefork", "solo", "threads", "gevent", "eventlet")
MATRIX = bool(os.environ.get("TEST_MATRIX"))
OPERATIONS = int(os.environ.get("TEST_OPERATIONS", "200"))
"""How many; the ID is crossed or it is not, so that more only makes surer."""

POOLS_AND_BROKERS = (
    [(pool, broker) for pool in POOLS for broker in ("redis", "rabbitmq")]
    if MATRIX
    else [("prefork", "rabbitmq"), ("threads", "redis"), ("gevent", "redis")]
)


@pytest.fixture(scope="session")
def redis() -> Generator[str]:
    """Run Redis."""
    with servers.redis() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq() -> Generator[str]:
    """Run RabbitMQ."""
    with servers.rabbitmq() as url:
        yield url


@pytest.mark.parametrize(("pool", "broker"), POOLS_AND_BROKERS)
def test_every_shape(
    pool: str, broker: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Each task of an operation runs under the caller's ID; a neighbour's never."""
    if pool in {"gevent", "eventlet"}:
        pytest.importorskip(pool, reason=f"needs {pool}")
    redis: str = request.getfixturevalue("redis")
    url: str = request.getfixturevalue(broker)
    expected: dict[str, int] = {}
    found: dict[str, Any] = {}
    with deployed(url, redis, tmp_path) as deployment, deployment.worker(pool):
        for name, send in shapes.SHAPES.items():
            label = f"{name}-{uuid.uuid4().hex[:8]}"
            with penstock.start_flow(f"id-of-{label}"):
                expected[label] = send(label)
        for label, count in expected.items():
            lines = deployment.await_runs(label, count)
            found[label] = {line["flow_id"] for line in lines}, len(lines)

    assert found == {
        label: ({f"id-of-{label}"}, count) for label, count in expected.items()
    }


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_shapes_keep_to_the_declared_order(
    pool: str, redis: str, tmp_path: Path
) -> None:
    """Chains, chords and retries: workers that judge their runs report no violation."""
    penstock.configure(conformance="warn")
    reports = tmp_path / "reports"
    reports.mkdir()
    env = {"PENSTOCK_CONFORMANCE": "warn", "PENSTOCK_CONFORMANCE_DIR": str(reports)}
    with (
        deployed(redis, redis, tmp_path, **env) as deployment,
        deployment.worker(pool),
    ):
        for name, send in shapes.SHAPES.items():
            label = f"{name}-{uuid.uuid4().hex[:8]}"
            with penstock.start_flow(f"id-of-{label}"):
                count = send(label)
            deployment.await_runs(label, count)
        lines = deployment.lines(name="penstock")

    merged = penstock.ConformanceReport.merge(reports.glob("*.json")).to_dict()
    flow = merged["flows"]["shapes"]
    assert not [line for line in lines if line["message"].startswith("R")]
    assert flow["violations"] == []
    assert {edge["contradicted"] for edge in flow["edges"]} == {0}
    assert {"receive", "follow", "retry_twice"} <= {
        step for step, count in flow["steps"].items() if count
    }


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Count from nothing here; give the folder for the reports of the workers."""
    penstock.configure(conformance="warn")
    process_judge.clear()
    marks = [find_marked(one) for one in vars(ordered).values()]
    steps = [step for mark in marks if mark is not None for step in mark.steps]
    registry.add(FlowOptions("ordered"), steps)  # each test begins with none
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


def merged(reports: Path) -> dict[str, Any]:
    """Return what this process and the workers have counted together."""
    files: list[Any] = [penstock.conformance_report(), *reports.glob("*.json")]
    assert len(files) > 1
    found: dict[str, Any] = penstock.ConformanceReport.merge(files).to_dict()
    return dict(found["flows"]["ordered"])


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_ways_to_send_in_order_accuse_nobody(
    pool: str, redis: str, reports: Path, tmp_path: Path
) -> None:
    """Chains, groups, chords, retries and the rest, sent by a run that is known."""
    env = {"PENSTOCK_CONFORMANCE": "warn", "PENSTOCK_CONFORMANCE_DIR": str(reports)}
    with (
        deployed(redis, redis, tmp_path, **env) as deployment,
        deployment.worker(pool),
    ):
        for name, (send, count) in ordered.WAYS.items():
            ordered.take(name, send)
            deployment.await_runs(name, count)

    found = merged(reports)
    assert found["violations"] == []
    assert {edge["contradicted"] for edge in found["edges"]} == {0}
    assert found["steps"] == {
        "take": 9,
        "check": 3,
        "validate": 7,
        "charge": 4,
        "reserve": 3,
        "join": 1,
        "notify": 2,
        "nest": 1,
        "meet": 2,
        "pack": 1,
        "both": 1,
    }
    witnessed = {(e["before"], e["after"]): e["witnessed"] for e in found["edges"]}
    assert witnessed["validate", "charge"] == 4
    assert witnessed["check", "notify"] == 2


def test_a_task_that_is_sent_too_early_violates(
    redis: str, reports: Path, tmp_path: Path
) -> None:
    """The sender says so, once for each run, whatever the worker does then."""
    env = {"PENSTOCK_CONFORMANCE": "warn", "PENSTOCK_CONFORMANCE_DIR": str(reports)}
    with (
        deployed(redis, redis, tmp_path, **env) as deployment,
        deployment.worker("prefork"),
    ):
        for _ in range(2):
            ordered.take("early", ordered.early)
        deployment.await_runs("early", 2)
        lines = deployment.lines(name="penstock")

    found = merged(reports)
    assert {(v["step"], v["code"], v["count"]) for v in found["violations"]} == {
        ("notify", "R1", 1),
        ("notify", "R2", 1),
    }
    assert len(found["violations"]) == 4
    assert found["steps"]["notify"] == 2
    assert not [line for line in lines if line["message"].startswith("R")]


@pytest.mark.usefixtures("reports")
def test_raise_publishes_nothing(redis: str, tmp_path: Path) -> None:
    """No worker gets what was sent too early."""
    penstock.configure(conformance="raise")
    with deployed(redis, redis, tmp_path) as deployment, deployment.worker("solo"):
        with pytest.raises(penstock.FlowOrderError, match="was sent, called by 'take'"):
            ordered.take("stopped", ordered.early)
        send, count = ordered.WAYS["in_turn"]
        ordered.take("right", send)
        deployment.await_runs("right", count)

        assert deployment.ran("stopped") == []


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> str:
    """Run the test over each broker."""
    url: str = request.getfixturevalue(request.param)
    return url


def test_one_id_in_caller_worker_and_result(redis: str, tmp_path: Path) -> None:
    """The run's ID is on every line about the task, and gone when it has ended."""
    with deployed(redis, redis, tmp_path) as deployment, deployment.worker("solo"):
        with penstock.start_flow("order-17"):
            result = tasks.receive.delay("one")
        assert result.get(timeout=60) == "order-17"
        # Celery's "succeeded in" is the last of them, after the result is there.
        wanted = {"task_id": result.id, "name": "celery.app.trace"}
        servers.until(lambda: deployment.lines(**wanted), what="last line")
        lines = deployment.lines(task_id=result.id)

    named = [line for line in lines if line["name"] in {"penstock", "shapes"}]
    assert {line["outcome"] for line in named} == {None, "ok"}
    for line in named:
        assert (line["flow"], line["step"]) == ("shapes", "receive")
    assert {line["flow_id"] for line in lines} == {"order-17"}
    (received,) = [line for line in deployment.lines() if "received" in line["message"]]
    assert received["flow_id"] == "order-17"


def test_a_line_before_the_task_has_no_id_of_its_own(
    redis: str, tmp_path: Path
) -> None:
    """Where the worker trusts no message, its task gets an ID that comes later."""
    env = {"PENSTOCK_TRUST_INBOUND": "none"}
    received = {"name": "celery.worker.strategy"}
    with deployed(redis, redis, tmp_path, **env) as deployment:
        with deployment.worker("solo"), penstock.start_flow("order-17"):
            flow_id = tasks.receive.delay("one").get(timeout=60)
        lines = deployment.lines(**received)

    assert flow_id != "order-17"
    assert [line["flow_id"] for line in lines] == ["-"]


# Redis gives a lost message back when a worker looks for it: often, and also where the
# killed worker was just looking and holds the lock on that for minutes.
_HASTY = {
    "visibility_timeout": 2,
    "unacked_mutex_expire": 2,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}


def test_a_killed_worker_leaves_the_id(broker: str, redis: str, tmp_path: Path) -> None:
    """With ``acks_late`` the message comes again, and its ID with it."""
    hasty = {"SHAPES_TRANSPORT": json.dumps(_HASTY)} if broker == redis else {}
    with deployed(broker, redis, tmp_path, **hasty) as deployment:
        with deployment.worker("prefork") as process:
            with penstock.start_flow("order-17"):
                result = tasks.die_once.delay("kill", str(tmp_path))
            (line,) = deployment.await_runs("kill", 1)
            process.kill()
            process.wait()
            os.kill(line["process"], signal.SIGKILL)
        with deployment.worker("prefork"):
            assert result.get(timeout=60) == "order-17"
            first, *others = deployment.ran("kill")

    assert {line["flow_id"] for line in [first, *others]} == {"order-17"}
    assert first["process"] not in {line["process"] for line in others}


@pytest.mark.parametrize(
    "shape", ["by_name", "by_request", "by_plain_request", "in_a_chord"]
)
def test_errbacks_of_a_lost_worker_keep_the_id(
    shape: str, redis: str, tmp_path: Path
) -> None:
    """Celery's main process calls or sends them, and says what has happened."""
    worker_lost = {"name": "celery.worker.request"}
    with deployed(redis, redis, tmp_path) as deployment, deployment.worker("prefork"):
        with penstock.start_flow("order-17"):
            shapes.LOST[shape]("lost")
        lines = deployment.await_runs("lost", 2)
        servers.until(lambda: deployment.lines(**worker_lost), what="reason")
        lines += deployment.lines(**worker_lost)

    assert {line["flow_id"] for line in lines} == {"order-17"}


@pytest.mark.parametrize("pool", POOLS if MATRIX else ["prefork", "threads"])
def test_many_at_once_are_apart(redis: str, tmp_path: Path, pool: str) -> None:
    """Operations that 50 threads start: every task of each has its ID alone."""
    with (
        deployed(redis, redis, tmp_path) as deployment,
        deployment.worker(pool, "--concurrency=50" if pool != "prefork" else "-c8"),
        ThreadPoolExecutor(50, initializer=deployment.app.set_current) as threads,
    ):

        def start(number: int) -> None:
            with penstock.start_flow(f"order-{number}"):
                tasks.nest.delay(f"order-{number}.")

        list(threads.map(start, range(OPERATIONS)))
        lines = deployment.await_runs("order-", OPERATIONS * 4)

    crossed = [line for line in lines if f" {line['flow_id']}." not in line["message"]]
    assert not crossed
    assert len({line["flow_id"] for line in lines}) == OPERATIONS


def test_each_tick_of_a_beat_is_an_operation(redis: str, tmp_path: Path) -> None:
    """Nobody sent it from a flow, so each gets an ID of its own."""
    with (
        deployed(redis, redis, tmp_path, SHAPES_TICK_S="0.3") as deployment,
        deployment.worker("solo"),
        deployment.beat(),
    ):
        lines = deployment.await_runs("tick", 3)

    ids = [line["flow_id"] for line in lines]
    assert len(set(ids)) == len(ids)
    assert {len(flow_id) for flow_id in ids} == {32}


def test_spans_of_a_recycled_process_are_sent(redis: str, tmp_path: Path) -> None:
    """A process that ends after one task sends what its batch holds back.

    Each has a trace of its own, with a link to the span that sent the task.
    """
    pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry")
    backend = importlib.import_module("penstock.backends.otel").OTelBackend
    sdk = importlib.import_module("opentelemetry.sdk.trace")
    penstock.configure("logging", backend(sdk.TracerProvider(shutdown_on_exit=False)))
    spans = tmp_path / "spans.txt"
    sent: dict[str, str] = {}

    @penstock.flow("spans")
    @penstock.entrypoint
    def send() -> None:
        tasks.receive.delay("span")
        headers = penstock.inject()
        sent[headers["X-Correlation-ID"]] = headers["traceparent"].split("-")[1]

    with (
        deployed(redis, redis, tmp_path, SHAPES_SPANS=str(spans)) as deployment,
        deployment.worker("prefork", "--max-tasks-per-child=1"),
    ):
        for number in range(3):
            with penstock.start_flow(f"order-{number}"):
                send()
        deployment.await_runs("span", 3)
        servers.until(
            lambda: spans.read_text().count("shapes/receive") >= 3, what="spans"
        )

    said = sorted(spans.read_text().splitlines())
    assert said == [
        f"shapes/receive {flow_id} {trace_id}" for flow_id, trace_id in sent.items()
    ]


def test_odd_metadata_never_stops_a_task(
    broker: str, redis: str, tmp_path: Path
) -> None:
    """What cannot travel is left out; the ID always arrives."""
    keys = [f"odd_{number}" for number in range(len(ODD))]
    penstock.configure(propagate=keys)
    with deployed(broker, redis, tmp_path) as deployment, deployment.worker("solo"):
        for key, value in zip(keys, ODD, strict=True):
            with penstock.start_flow(f"id-{key}"):
                penstock.set_flow_context_value(key, value)
                tasks.receive.delay("odd")
        with penstock.start_flow("id-all") as context:
            for key, value in zip(keys, ODD, strict=True):
                context.set(key, value)
            tasks.receive.delay("odd")
        lines = deployment.await_runs("odd", len(ODD) + 1)

    ids = sorted(line["flow_id"] for line in lines)
    assert ids == sorted([*(f"id-{key}" for key in keys), "id-all"])
