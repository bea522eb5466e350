"""Celery's workers: one ID in the caller and in every task, in every shape and pool."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from tests import services

pytest.importorskip("celery", reason="needs celery")
pytest.importorskip("redis", reason="needs redis")

from tests.contrib.celery_app.workers import deployed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POOLS = ("prefork", "solo", "threads", "gevent", "eventlet")


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    """Run Redis."""
    with services.redis() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[str]:
    """Run RabbitMQ."""
    with services.rabbitmq() as url:
        yield url


@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
@pytest.mark.parametrize("pool", POOLS)
def test_every_shape(
    pool: str, broker: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Each task of an operation runs under the caller's ID; a neighbour's never."""
    if pool in {"gevent", "eventlet"}:
        pytest.importorskip(pool, reason=f"needs {pool}")
    from tests.contrib.celery_app.shapes import SHAPES

    redis: str = request.getfixturevalue("redis")
    url: str = request.getfixturevalue(broker)
    expected: dict[str, int] = {}
    found: dict[str, Any] = {}
    with deployed(url, redis, tmp_path) as deployment, deployment.worker(pool):
        for name, send in SHAPES.items():
            label = f"{name}-{uuid.uuid4().hex[:8]}"
            with penstock.start_flow(f"id-of-{label}"):
                expected[label] = send(label)
        for label, count in expected.items():
            lines = deployment.await_runs(label, count)
            found[label] = {line["flow_id"] for line in lines}, len(lines)

    assert found == {
        label: ({f"id-of-{label}"}, count) for label, count in expected.items()
    }
