"""Celery: one ID in the caller, in the worker's log lines and in the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import penstock
from tests import services

celery = pytest.importorskip("celery", reason="needs celery")
pytest.importorskip("redis", reason="needs redis")


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with services.redis() as url:
        yield url


class Worker:
    def __init__(self, app: Any, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.app = app
        self.log = log
        self.process = process

    def lines(self) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def said(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["message"] == message]


@contextmanager
def worker(broker: str, backend: str, folder: Path, *options: str) -> Iterator[Worker]:
    queue = f"queue-{uuid.uuid4().hex}"
    log = folder / "log.jsonl"
    env = {
        "SHAPES_BROKER": broker,
        "SHAPES_BACKEND": backend,
        "SHAPES_QUEUE": queue,
        "SHAPES_LOG": str(log),
    }
    command = [sys.executable, "-m", "celery", "-A", "tests.contrib.celery_app.app"]
    command += ["worker", "--without-gossip", "--without-mingle", *options]
    app = celery.Celery("caller", broker=broker, backend=backend)
    app.conf.task_default_queue = queue
    app.set_current()
    with services.running(command, env=env, log=folder / "output") as process:
        running = Worker(app, log, process)
        services.until(
            lambda: any("ready" in line["message"] for line in running.lines())
            or process.poll() is not None
        )
        assert process.poll() is None, (folder / "output").read_text()
        yield running
    app.close()


def test_one_id_in_caller_worker_and_result(redis: str, tmp_path: Path) -> None:
    """The ID of the caller's run is in the worker's log lines and in the result."""
    with worker(redis, redis, tmp_path, "--pool=solo") as running:
        from tests.contrib.celery_app.tasks import receive

        with penstock.start_flow("order-17"):
            result = receive.delay("skeleton")
        assert result.get(timeout=20) == "order-17"
        (line,) = running.said("ran skeleton")
        assert (line["flow_id"], line["flow"], line["step"]) == (
            "order-17",
            "shapes",
            "receive",
        )
