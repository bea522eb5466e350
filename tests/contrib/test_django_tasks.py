"""The flow of a request goes on in the tasks of Django 6 that it enqueues."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("django", reason="needs django")

import django
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import override_settings

import penstock
from penstock.contrib.django import FlowMiddleware

version: Any = django.VERSION  # to type checkers, the one that they see
if version < (6, 0):
    pytest.skip("Django has tasks since 6.0", allow_module_level=True)

SETTINGS = "tests.contrib.django_site.settings"
with mock.patch.dict(os.environ, DJANGO_SETTINGS_MODULE=SETTINGS):
    django.setup()
# Importing it makes tasks, by what the settings say. Before Django 6 it has no types.
tasks: Any = import_module("tests.contrib.django_site.tasks")
task_started: Any = import_module("django.tasks.signals").task_started


def in_worker(queue: Path) -> tuple[list[Any], list[str]]:
    """Run a worker in a process of its own; return its results and log lines."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.contrib.django_site.queues"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "SITE_TASKS": "FlowQueue",
            "SITE_QUEUE": str(queue),
            "PENSTOCK_PROPAGATE": "tenant",
        },
    )
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return found, result.stderr.splitlines()


def enqueued(queue: Path, backend: str = "FlowQueue") -> str:
    """Answer a request whose view enqueues tasks; return the ID that it shows."""

    def view(_request: Any) -> HttpResponse:
        penstock.set_flow_context_value("tenant", "acme")
        penstock.set_flow_context_value("password", "hunter2")
        tasks.seen.enqueue(1, name="x")
        tasks.with_context.using(queue_name="default").enqueue(number=2)
        asyncio.run(tasks.awaited.aenqueue())
        tasks.failing.enqueue()
        return HttpResponse()

    path = f"tests.contrib.django_site.queues.{backend}"
    penstock.configure(propagate=["tenant"])
    with (
        mock.patch.dict(os.environ, SITE_QUEUE=str(queue)),
        override_settings(TASKS={"default": {"BACKEND": path}}),
    ):
        response: Any = FlowMiddleware(view)(RequestFactory().get("/"))
    return str(response["X-Correlation-ID"])


def test_worker_continues_the_request(tmp_path: Path) -> None:
    """In the worker a task has the request's ID and what metadata may travel."""
    shown = enqueued(tmp_path / "queue")

    results, lines = in_worker(tmp_path / "queue")

    assert results == [
        [shown, {"tenant": "acme"}, [1], {"name": "x"}],
        [shown, 1, 2],
        shown,
        "failed",
    ]
    assert f"{shown} site INFO seen" in lines


def test_line_about_failure_has_the_id(tmp_path: Path) -> None:
    """Django logs how a task ended when it has; that line has the ID as well."""
    shown = enqueued(tmp_path / "queue")

    _, lines = in_worker(tmp_path / "queue")

    ended = [line for line in lines if "state=SUCCESSFUL" in line or "ERROR" in line]
    assert [line.split()[:3] for line in ended] == [
        *([shown, "django.tasks", "INFO"] for _ in range(3)),
        [shown, "django.tasks", "ERROR"],
    ]


def test_task_without_flow_has_a_fresh_one(tmp_path: Path) -> None:
    """What was enqueued outside a flow, or by who does not know us, has its own ID."""
    with mock.patch.dict(os.environ, SITE_QUEUE=str(tmp_path / "queue")):
        path = "tests.contrib.django_site.queues.FlowQueue"
        with override_settings(TASKS={"default": {"BACKEND": path}}):
            tasks.failing.enqueue()
            tasks.seen.enqueue()
            tasks.seen.enqueue()
    enqueued(tmp_path / "queue", backend="Queue")

    (failed, one, two, three, *_), _ = in_worker(tmp_path / "queue")

    assert failed == "failed"
    assert len({one[0], two[0], three[0]}) == 3
    assert {len(one[0]), len(two[0]), len(three[0])} == {32}
    assert three[2:] == [[1], {"name": "x"}]


def test_tasks_at_once_share_the_id() -> None:
    """Where tasks run at once, a task in a task is still of the same flow."""
    with penstock.start_flow("order-17"):
        assert tasks.nested.enqueue().return_value == ["order-17", "order-17"]
        assert asyncio.run(tasks.awaited.aenqueue()).return_value == "order-17"
        assert penstock.current_flow_id() == "order-17"
        tasks.failing.enqueue()
        assert penstock.current_flow_id() == "order-17"
    assert penstock.current_flow_id() is None


def test_direct_call_is_a_plain_one() -> None:
    """A task that is called directly runs in its caller's flow, else in its own."""
    with penstock.start_flow("order-17") as context:
        context.set("tenant", "acme")
        assert tasks.seen.call(1) == ["order-17", {"tenant": "acme"}, [1], {}]
        assert asyncio.run(tasks.seen.acall())[0] == "order-17"
    assert len(tasks.seen.call()[0]) == 32
    assert penstock.current_flow_id() is None


@pytest.mark.parametrize("headers", ["junk", 3, [], {}, {"X-Correlation-ID": "<x>"}])
def test_wrong_headers_are_no_error(headers: object) -> None:
    """A queue's field that is damaged leads to a fresh ID."""
    assert len(tasks.seen.call(penstock=headers)[0]) == 32


def test_tasks_look_as_before() -> None:
    """Tasks are those of the backend, and can be told apart and changed like them."""
    assert isinstance(tasks.seen, import_module("django.tasks").Task)
    assert repr(tasks.seen).startswith("Task(")
    assert tasks.seen.using(priority=7) != tasks.seen == tasks.seen.using()


def test_signals_are_connected_once() -> None:
    """However many backends are made, each task is started once."""
    before = len(task_started.receivers)
    type(tasks.seen.get_backend())("other", {})

    assert len(task_started.receivers) == before
