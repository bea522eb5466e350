"""The recipes for queues: one ID in the caller and in every line about a job."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.contrib.recipe_apps.page import lines_of, reader, shown_below
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.contrib.recipe_apps.page import Line

APPS = "tests.contrib.recipe_apps"
NEEDS = {"rq": "rq", "dramatiq": "dramatiq", "taskiq": "taskiq_redis", "arq": "arq"}

DATABASES = count()  # of Redis, which has 16

# As the page starts them, with the tests' jobs in addition to the page's.
WORKERS = {
    "rq": ["python shop_rq.py"] * 2,
    "dramatiq": [
        f"dramatiq shop_dramatiq {APPS}.dramatiq_app --processes 2 --threads 4"
    ],
    "taskiq": [f"taskiq worker shop_taskiq:broker {APPS}.taskiq_app --workers 2"],
    "arq": [f"arq {APPS}.arq_app.WorkerSettings"],
}

# What each framework logs when a job fails, and what it logs between two jobs.
FAILED = {
    "rq": "exception raised while executing",
    "dramatiq": "Failed to process message fail",
    "taskiq": "Exception found",
    "arq": "fail failed, ValueError",
}
BETWEEN = {
    "rq": r"Worker \w+: default: [\w.]+\(.*",
    "dramatiq": "after",
    "taskiq": "after",
    "arq": "after",
}


@pytest.fixture(params=sorted(NEEDS))
def framework(request: pytest.FixtureRequest) -> str:
    """Run the test over each framework that is installed."""
    name: str = request.param
    if find_spec("redis") is None:
        pytest.skip("needs redis")
    if find_spec(NEEDS[name]) is None:
        if name == "arq" and int(version("redis").partition(".")[0]) > 5:
            pytest.skip("arq excludes redis 6, and so it is tested apart, by .ci/run")
        pytest.skip(f"needs {name}")
    return name


@pytest.fixture(scope="module")
def redis() -> Generator[str]:
    """Run Redis."""
    with servers.redis() as url:
        yield url


def run(framework: str, redis: str, folder: Path, **settings: str) -> list[Line]:
    """Send jobs of every kind to a worker; return what the two logged."""
    # A killed worker leaves locks behind, so each run has a database of its own.
    database = f"{redis.rpartition('/')[0]}/{next(DATABASES)}"
    env = {**reader(folder), "REDIS_URL": database, **settings}
    log = folder / "worker.log"
    with ExitStack() as stack:
        for command in WORKERS[framework]:
            words = command.split()
            stack.enter_context(servers.running(words, env=env, cwd=folder, log=log))
        called = subprocess.run(
            [sys.executable, "-m", f"{APPS}.caller", framework],
            cwd=folder,
            env={**os.environ, **env},
            check=False,
            capture_output=True,
            text=True,
        )
        assert called.returncode == 0, called.stderr
        sent = lines_of(called.stderr)
        jobs = counts(sent, "sent").total()
        servers.until(
            lambda: counts(lines_of(log.read_text()), "ran").total() >= jobs,
            what=f"end of {jobs} jobs of {log.read_text()}",
        )
    return sent + lines_of(log.read_text())


def counts(lines: list[Line], verb: str) -> Counter[str]:
    """Count by their label the jobs that were ``sent``, or that ``ran``."""
    found: Counter[str] = Counter()
    for line in lines:
        said, *words = line.message.split()
        if line.logger in {"caller", "jobs"} and said == verb:
            found[words[0]] += int(words[1]) if verb == "sent" else 1
    return found


def test_one_id_in_caller_and_worker(
    framework: str, redis: str, tmp_path: Path
) -> None:
    """Lines about a job, and only those, have its sender's ID or a fresh one."""
    lines = run(framework, redis, tmp_path)

    shown = shown_below(f"shop_{framework}.py")
    assert [str(line) for line in lines if str(line) in shown] == shown
    assert counts(lines, "ran") == counts(lines, "sent")
    ids = defaultdict(set)
    for line in lines:
        if line.logger == "jobs" and line.message.startswith("ran "):
            ids[line.message.removeprefix("ran ")].add(line.flow_id)
    fresh = ids.pop("outside1") | ids.pop("outside2")
    assert ids == {label: {label} for label in ids}
    assert len(fresh) == 2
    assert not fresh & {"-", *ids}
    failed = {line.flow_id for line in lines if FAILED[framework] in line.message}
    assert "failxxxx" in failed <= {"failxxxx", "retryxxx"}
    between = [line for line in lines if re.fullmatch(BETWEEN[framework], line.message)]
    assert len(between) > 200
    assert {line.flow_id for line in between} == {"-"}


IN_PLACE = """\
import asyncio, penstock
from flow_taskiq import FlowMiddleware
from taskiq import InMemoryBroker

broker = InMemoryBroker(await_inplace=True).with_middlewares(FlowMiddleware())

@broker.task
async def outer():
    await inner.kiq()
    print("outer", penstock.current_flow_id())

@broker.task
async def inner():
    print("inner", penstock.current_flow_id())

async def main():
    with penstock.start_flow("a3f1c2d4"):
        await outer.kiq()
        print("caller", penstock.current_flow_id())
    print("after", penstock.current_flow_id())

asyncio.run(main())
"""


def test_taskiq_in_place(tmp_path: Path) -> None:
    """A broker that runs a task where it is sent, as in tests, restores each ID."""
    pytest.importorskip("taskiq", reason="needs taskiq")
    done = subprocess.run(
        [sys.executable, "-c", IN_PLACE],
        env={**os.environ, **reader(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )

    ran = [f"{name} a3f1c2d4" for name in ("inner", "outer", "caller")]
    assert done.stdout.splitlines() == [*ran, "after None"]


def test_disabled(framework: str, redis: str, tmp_path: Path) -> None:
    """With ``PENSTOCK_DISABLED`` every job runs, and none has an ID."""
    lines = run(framework, redis, tmp_path, PENSTOCK_DISABLED="1", MANY="20")

    assert counts(lines, "ran") == counts(lines, "sent")
    assert {line.flow_id for line in lines} == {"-"}
