"""Nothing grows with what strangers send; see conftest.py for how much they send."""

from __future__ import annotations

import gc
import json
import logging
import sys
import tracemalloc
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import configure, flow
from penstock.contrib import asgi, wsgi

pytest.importorskip("celery", reason="needs celery")

from celery import Celery, _state, signals

from penstock.contrib.celery import (
    flow_task,
    install_celery_signals,
    uninstall_celery_signals,
)
from penstock.contrib.kafka import flow_from_batch, flow_from_message
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[dict[str, str]], object]

pytestmark = pytest.mark.stress

_STATM = Path("/proc/self/statm")  # Linux


@pytest.fixture(params=["off", "record", "warn"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """Judge runs or not, with a log that drops every line."""
    finalizers = _state._on_app_finalizers  # noqa: SLF001  # where shared tasks stay
    shared = set(finalizers)
    configure(conformance=request.param, propagate="tenant")
    logger = logging.getLogger("penstock")
    logger.addFilter(drop)  # pytest would keep every line
    yield request.param
    logger.removeFilter(drop)
    _state.set_default_app(None)
    finalizers.intersection_update(shared)


def drop(_record: logging.LogRecord) -> bool:
    """Let no record through."""
    return False


def declare() -> Any:
    """Declare a flow; return a step that is called in what a carrier brings."""
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> None: ...

    @orders.step(after=[receive, "other/orders:pay", "billing:invoice"])
    def charge() -> None:
        penstock.inject()

    return charge


def carriers(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield headers of which no two are alike, right and wrong in many ways."""
    random = Random(seed)  # noqa: S311  # the same in every run
    for _ in range(count):
        name = f"{random.getrandbits(64):x}"
        done: list[object] = [f"{name}{i}" for i in range(random.randrange(20))]
        done += random.sample(["receive", "charge", "pay", "invoice", None, 7], 3)
        field = {
            "id": random.choice((name, "", 17)),
            "parent": name,
            "root": random.choice((name, f" {name}")),
            "flow": random.choice(("orders", "billing", name)),
            "step": name,
            "service": random.choice(("other", "", name)),
            "call": random.choice(("orders/charge", name)),
            "done": done,
            "meta": {"tenant": name, name: name},
            name: [[[name]]],
        }
        text = json.dumps(field)
        yield {
            "x-correlation-id": random.choice((name, f"{name},{name}", f"\x1b{name}")),
            "x-request-id": name,
            "traceparent": f"00-{name:0>32}-{name:0>16}-{random.choice(('01', name))}",
            "tracestate": f"a={name}",
            "penstock": random.choice((text, text, f"{text},{text}", text[:-9])),
            f"x-{name}": name,
        }


def over_asgi() -> Read:
    """Return a reader of ASGI requests."""
    charge = declare()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        charge()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(_message: Any) -> None: ...

    middleware: Any = asgi.FlowMiddleware(app, trust_inbound="all")

    def read(headers: dict[str, str]) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        answer = middleware({"type": "http", "headers": raw}, None, send)
        with pytest.raises(StopIteration):
            answer.send(None)

    return read


def over_wsgi() -> Read:
    """Return a reader of WSGI requests."""
    charge = declare()

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        charge()
        start_response("200 OK", [])
        return []

    middleware: Any = wsgi.FlowMiddleware(app, trust_inbound="all")

    def read(headers: dict[str, str]) -> None:
        names = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items()}
        list(middleware(names, lambda *_: None))

    return read


def over_kafka() -> Read:
    """Return a reader of Kafka messages, alone and in a batch."""
    charge = declare()

    def read(headers: dict[str, str]) -> None:
        pairs = [(name, value.encode()) for name, value in headers.items()]
        message = SimpleNamespace(headers=pairs)
        with flow_from_message(message):
            charge()
        with flow_from_batch([message]):
            charge()

    return read


def over_celery() -> Read:
    """Return a reader of Celery messages, by the signals that its worker sends."""
    app = Celery("shop", broker="memory://")  # current: the task is found by it

    @flow("orders")
    @flow_task(app=app, name=unique("charge"), after="receive")
    def charge() -> None:
        penstock.inject()

    flow("orders").entrypoint(name="receive")(lambda: None)

    def read(headers: dict[str, str]) -> None:
        sent = {"X-Correlation-ID": headers["x-correlation-id"], **headers}
        charge.push_request(headers=sent, called_directly=False, is_eager=False)
        signals.task_prerun.send(sender=charge, task_id="1", task=charge)
        charge()
        signals.task_postrun.send(sender=charge, task_id="1", task=charge)
        charge.pop_request()

    return read


@pytest.mark.parametrize("transport", [over_asgi, over_wsgi, over_kafka, over_celery])
def test_strangers_leave_nothing_behind(
    mode: str,
    transport: Callable[[], Read],
    size: Callable[[int, int], int],
) -> None:
    """After a million carriers the process holds what it held before."""
    count = size(300, 1_000_000)
    install_celery_signals()
    read = transport()

    def work(count: int, seed: int) -> None:
        for headers in carriers(count, seed):
            read(headers)
        gc.collect()

    work(1_000, seed=1)
    before = sys.getallocatedblocks(), resident()
    work(count, seed=2)
    blocks = sys.getallocatedblocks() - before[0]
    pages = resident() - before[1]
    tracemalloc.start()
    work(300, seed=3)
    memory = tracemalloc.get_traced_memory()[0]  # big numbers are few blocks
    tracemalloc.stop()
    uninstall_celery_signals()

    print(f"{transport.__name__}, {mode}: {blocks:+} blocks, {pages:+} KiB")  # noqa: T201  # for -s
    assert blocks < 500
    assert memory < 100_000
    assert count < 100_000 or pages < 4_000


def resident() -> int:
    """Return the resident memory of this process in KiB; 0 where it is not known."""
    return int(_STATM.read_text().split()[1]) * 4 if _STATM.exists() else 0
