"""Runs that go through several services, each of which records what it sees."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from tests.contrib.kafka_app.clients import CLIENTS, needed
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

COUNT = 6


@pytest.fixture(scope="session")
def broker() -> Generator[servers.Kafka]:
    """Run a broker."""
    with servers.kafka() as kafka:
        yield kafka


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Give the folder that every process leaves its report in."""
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


def recording(reports: Path) -> dict[str, str]:
    """Return what a process has to find in its environment."""
    return {
        "PENSTOCK_CONFORMANCE": "record",
        "PENSTOCK_CONFORMANCE_DIR": str(reports),
    }


def started(reports: Path, module: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program that records."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.contrib.hops.{module}", *arguments],
        env={**os.environ, **recording(reports)},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*programs: subprocess.Popen[str]) -> None:
    """Wait until all have ended well."""
    for program in programs:
        _, told = program.communicate(timeout=120)
        assert not program.returncode, told


def merged(reports: Path, processes: int) -> dict[str, Any]:
    """Return what all of them saw together."""
    paths = list(reports.glob("*.json"))
    assert len(paths) == processes
    flows: dict[str, Any] = penstock.ConformanceReport.merge(paths).to_dict()["flows"]
    return flows


def edges(flow: dict[str, Any]) -> dict[tuple[str, str], tuple[int, str]]:
    """Return how often each edge was witnessed, and its status."""
    return {
        (edge["before"], edge["after"]): (edge["witnessed"], edge["status"])
        for edge in flow["edges"]
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_messages_accuse_nobody(
    client: str, broker: servers.Kafka, reports: Path
) -> None:
    """A producer, two consumers of the same messages at once, one of batches.

    One message came twice, so that there is a run that ships four times.
    """
    needed(client)
    with_topic = (client, broker.address, broker.new_topic(), str(COUNT))
    finish(started(reports, "by_kafka", "shop", *with_topic))
    roles = ("depot", "depot", "office")
    finish(*[started(reports, "by_kafka", role, *with_topic) for role in roles])

    flows = merged(reports, 4)
    parcels, accounts = flows["parcels"], flows["accounts"]
    assert (parcels["violations"], accounts["violations"]) == ([], [])
    assert parcels["runs"] == COUNT - 1
    assert edges(parcels) == {
        ("receive", "check"): (COUNT - 1, "witnessed"),
        ("check", "publish"): (COUNT - 1, "witnessed"),
        ("publish", "pick"): (2 * COUNT, "witnessed"),
        ("pick", "ship"): (2 * COUNT, "witnessed"),
        ("publish", "hurry"): (0, "unexercised"),
    }
    assert edges(accounts) == {
        ("parcels:publish", "book"): (2 * COUNT + 1, "witnessed"),
        ("book", "add"): (2 * COUNT + 1, "witnessed"),
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_wrong_order_in_a_consumer_contradicts_the_edge(
    client: str, broker: servers.Kafka, reports: Path
) -> None:
    """What a step of the consumer does is judged when nothing of it is open."""
    needed(client)
    with_topic = (client, broker.address, broker.new_topic(), str(COUNT))
    finish(started(reports, "by_kafka", "shop", *with_topic))
    finish(started(reports, "by_kafka", "hasty", *with_topic))

    parcels = merged(reports, 2)["parcels"]
    found = {(one["step"], one["code"]): one for one in parcels["violations"]}
    assert set(found) == {("ship", "R2")}
    assert edges(parcels)["pick", "ship"] == (0, "contradicted")
    assert edges(parcels)["publish", "hurry"] == (COUNT, "witnessed")


def test_wrong_order_directly_under_a_message(
    broker: servers.Kafka, reports: Path
) -> None:
    """What is missing may have run elsewhere, until it runs here."""
    needed("confluent_kafka")
    topic = ("confluent_kafka", broker.address, broker.new_topic(), str(COUNT))
    finish(started(reports, "by_kafka", "shop", *topic))
    finish(started(reports, "by_kafka", "reverse", *topic))

    parcels = merged(reports, 2)["parcels"]
    assert {one["code"] for one in parcels["violations"]} == {"R2"}
    assert edges(parcels)["pick", "ship"] == (0, "contradicted")


@pytest.mark.parametrize("path", ["/", "/hasty"])
def test_requests(path: str, tmp_path: Path, reports: Path) -> None:
    """A request tells as much as a message, to a server that believes it."""
    for package in ("httpx", "uvicorn"):
        pytest.importorskip(package, reason=f"needs {package}")
    port = servers.free_port()
    command = f"-m uvicorn tests.contrib.hops.by_http:app --port {port}"
    with servers.serving(
        [sys.executable, *command.split()],
        port,
        env=recording(reports),
        log=tmp_path / "log",
    ):
        url = f"http://127.0.0.1:{port}{path}"
        finish(started(reports, "by_http", url, str(COUNT)))

    flows = merged(reports, 2)
    found = edges(flows["parcels"])
    if path == "/":
        assert flows["parcels"]["violations"] == flows["accounts"]["violations"] == []
        assert found["publish", "pick"] == (COUNT, "witnessed")
        assert found["pick", "ship"] == (COUNT, "witnessed")
        crossing = edges(flows["accounts"])["parcels:publish", "book"]
        assert crossing == (COUNT, "witnessed")
    else:
        assert found["pick", "ship"] == (0, "contradicted")
        assert {one["step"] for one in flows["parcels"]["violations"]} == {"ship"}
