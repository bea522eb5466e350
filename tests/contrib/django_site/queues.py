"""Two backends for tasks of Django 6, and a worker: ``python -m`` this module."""

from __future__ import annotations

import json
import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.utils.module_loading import import_string

import penstock
from penstock.contrib.django import FlowTasks

# Django has them since 6.0, and no types.
tasks: Any = import_module("django.tasks")
ImmediateBackend: Any = import_module(
    "django.tasks.backends.immediate"
).ImmediateBackend


class ToFile:
    """Appends tasks to a file."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> None:
        """Write the task down."""
        line = json.dumps([task.module_path, args, kwargs])
        with Path(os.environ["SITE_QUEUE"]).open("a", encoding="utf-8") as queue:
            queue.write(f"{line}\n")


AtOnce: Any = type("AtOnce", (FlowTasks, ImmediateBackend), {})
Queue: Any = type("Queue", (ToFile, ImmediateBackend), {})
FlowQueue: Any = type("FlowQueue", (FlowTasks, Queue), {})


def work() -> None:
    """Run what was queued, as a worker does; print the results."""
    backend = FlowQueue("default", {})
    lines = Path(os.environ["SITE_QUEUE"]).read_text("utf-8").splitlines()
    for number, (path, args, kwargs) in enumerate(map(json.loads, lines)):
        result = tasks.TaskResult(
            task=import_string(path),
            id=str(number),
            status=tasks.TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend="default",
            errors=[],
            worker_ids=[],
        )
        backend._execute_task(result)  # noqa: SLF001  # each worker has one of its own
        is_well = result.status == tasks.TaskResultStatus.SUCCESSFUL
        print(json.dumps(result.return_value if is_well else "failed"))  # noqa: T201  # a program


if __name__ == "__main__":
    penstock.install_log_fields()
    logging.basicConfig(
        level=logging.INFO,
        format="%(correlation_id)s %(name)s %(levelname)s %(message)s",
    )
    logging.getLogger("penstock").setLevel(logging.WARNING)
    django.setup()
    work()
