"""Start a worker of the application, and read what it says."""

from __future__ import annotations

import json
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import celery
from celery import _state
from kombu import pools

from tests.support import servers

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator
    from pathlib import Path

    Line = dict[str, Any]

__all__ = ["Deployment", "deployed"]


class Deployment:
    """A queue of our own with the application's workers on it.

    Attributes:
        app: What this process sends with.
        folder: Where the workers' files are.
    """

    def __init__(self, broker: str, backend: str, folder: Path, **env: str) -> None:
        queue = f"queue-{uuid.uuid4().hex}"
        self.folder = folder
        self._log = folder / "log.jsonl"
        self._output = folder / "output.txt"
        self._env = {
            # Its own resolver cannot be imported beside trio, which selenium brings.
            "EVENTLET_NO_GREENDNS": "yes",
            "SHAPES_BACKEND": backend,
            "SHAPES_BROKER": broker,
            "SHAPES_LOG": str(self._log),
            "SHAPES_QUEUE": queue,
            **env,
        }
        self.app = celery.Celery("caller", broker=broker, backend=backend)
        self.app.conf.task_default_queue = queue

    @contextmanager
    def worker(self, pool: str, *options: str) -> Generator[subprocess.Popen[bytes]]:
        """Run a worker, and wait until it is ready."""
        count = len(self.lines(message_end=" ready."))
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        command = ["worker", f"--pool={pool}", "--concurrency=4", *quiet, *options]
        with self._run(*command) as process:
            self._await(process, lambda: len(self.lines(message_end=" ready.")) > count)
            yield process

    @contextmanager
    def beat(self) -> Generator[None]:
        """Run what sends the tasks of the schedule."""
        with self._run("beat", f"--schedule={self.folder}/beat", "--pidfile="):
            yield

    def lines(self, **wanted: object) -> list[Line]:
        """Return the log lines so far whose fields are as *wanted*."""
        if not self._log.exists():
            return []
        end = str(wanted.pop("message_end", ""))
        text = self._log.read_text()
        lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [
            line
            for line in lines
            if line["message"].endswith(end) and wanted.items() <= line.items()
        ]

    def ran(self, label: str) -> list[Line]:
        """Return the line of each task that ran under *label*."""
        lines = self.lines(name="shapes")
        return [line for line in lines if f"ran {label}" in line["message"]]

    def await_runs(self, label: str, count: int) -> list[Line]:
        """Wait until *count* tasks ran under *label*; return their lines."""

        def have_run() -> bool:  # to parse it all, again and again, takes its time
            return self._log.read_text().count(f'"ran {label}') >= count

        servers.until(
            lambda: have_run() and len(self.ran(label)) >= count,
            timeout_s=servers.STARTED_S + count / 50,
            what=f"run {count} of {label}",
        )
        return self.ran(label)

    @contextmanager
    def _run(self, *command: str) -> Generator[subprocess.Popen[bytes]]:
        celery_command = [sys.executable, "-m", "celery", "-A"]
        application = "tests.contrib.celery_app.app"
        whole = [*celery_command, application, *command]
        with servers.running(whole, env=self._env, log=self._output) as process:
            yield process

    def _await(self, process: subprocess.Popen[bytes], is_true: Any) -> None:
        servers.until(lambda: is_true() or process.poll() is not None, what="start")
        assert process.poll() is None, self._output.read_text()


@contextmanager
def deployed(
    broker: str, backend: str, folder: Path, **env: str
) -> Generator[Deployment]:
    """Give a deployment; this process sends to it until the end of the block."""
    deployment = Deployment(broker, backend, folder, **env)
    app = deployment.app
    app.set_current()
    try:
        yield deployment
    finally:
        pools.reset()  # type: ignore[no-untyped-call]  # Celery has no types
        app.backend.result_consumer.stop()
        app.backend.client.connection_pool.disconnect()
        app.close()
        _state._set_current_app(None)  # noqa: SLF001  # there is no public way
