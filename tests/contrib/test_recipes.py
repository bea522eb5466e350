"""The other recipes: gRPC, schedulers, scripts and uWSGI, in processes of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contrib.recipe_apps.page import lines_of, reader, shown_below
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contrib.recipe_apps.page import Line

APPS = "tests.contrib.recipe_apps"


def run(
    command: str, folder: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run *command* where the page's files are, its errors among its output."""
    return subprocess.run(
        command.split(),
        cwd=folder,
        env={**os.environ, **reader(folder), **settings},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("kind", ["", "-aio"])
def test_grpc(kind: str, tmp_path: Path) -> None:
    """Calls of every kind have one ID on both sides, 200 at a time, on one channel."""
    pytest.importorskip("grpc", reason="needs grpc")
    called, served = call_grpc(kind, tmp_path)

    if not kind:
        shown = shown_below("shop_grpc.py")
        assert [str(line) for line in called + served if str(line) in shown] == shown
    ids = defaultdict(set)
    for line in served:
        if line.message.startswith("ran "):
            ids[line.message.removeprefix("ran ")].add(line.flow_id)
    fresh = ids.pop("outside1") | ids.pop("outside2")
    assert ids == {label: {label} for label in ids}
    assert len(ids) == 201
    assert len(fresh) == 2
    assert not fresh & {"-", *ids}
    (failed,) = [line for line in served if "step.error" in line.message]
    assert failed.flow_id == "failxxxx"
    # Its own line about the method has the traceback, and comes after the flow.
    (own,) = [line for line in served if line.logger.startswith("grpc.")]
    assert own.flow_id == "failxxxx"


def test_grpc_disabled(tmp_path: Path) -> None:
    """With ``PENSTOCK_DISABLED`` every call is answered, and none has an ID."""
    pytest.importorskip("grpc", reason="needs grpc")
    for kind in ("", "-aio"):
        called, served = call_grpc(kind, tmp_path, PENSTOCK_DISABLED="1")

        ran = [line for line in served if line.message.startswith("ran ")]
        assert len(ran) == 353
        assert {line.flow_id for line in called + served} == {"-"}


def call_grpc(
    kind: str, folder: Path, **settings: str
) -> tuple[list[Line], list[Line]]:
    """Call a server; return what the client and what the server logged."""
    log = folder / f"server{kind}.log"
    app = f"python -m {APPS}.grpc_app"
    env = {**reader(folder), **settings}
    command = f"{app} serve{kind}".split()
    with servers.running(command, env=env, cwd=folder, log=log):
        servers.until(lambda: lines_of(log.read_text()), what="start of the server")
        port = lines_of(log.read_text())[0].message.split()[-1]
        called = run(f"{app} call{kind} 127.0.0.1:{port}", folder, **settings)
    assert called.returncode == 0, called.stdout
    return lines_of(called.stdout), lines_of(log.read_text())


def ticks(command: str, folder: Path, wanted: int, **settings: str) -> list[Line]:
    """Run a scheduler until *wanted* messages say that a job has run."""
    log = folder / "scheduler.log"

    def lines() -> list[Line]:
        return lines_of(log.read_text())

    def ended() -> Counter[str]:
        return Counter(at[0] for line in lines() if (at := END.search(line.message)))

    words = command.split()
    env = {**reader(folder), **settings}
    with servers.running(words, env=env, cwd=folder, log=log):
        servers.until(lambda: ended() and min(ended().values()) >= wanted, what="ticks")
    return lines()


END = re.compile(r"executed successfully|raised an exception")


def test_scheduler_ticks(tmp_path: Path) -> None:
    """Each tick has an ID of its own, on APScheduler's own lines about it, too."""
    pytest.importorskip("apscheduler", reason="needs apscheduler")
    lines = ticks("python shop_apscheduler.py", tmp_path, 2)

    ids = [line.flow_id for line in lines if line.logger == "shop"]
    assert len(ids) >= 2
    assert len({*ids, "-"}) == len(ids) + 1
    shape = [re.sub(r"^\w+", "", line) for line in shown_below("shop_apscheduler.py")]
    assert [str(line)[8:] for line in lines if line.logger == "shop"][:2] == shape
    for id_ in ids[:2]:
        told = [line.message.split()[0] for line in lines if line.flow_id == id_]
        assert told == ["Running", "remind", "Job"]


def test_scheduler_started_inside_a_flow(tmp_path: Path) -> None:
    """No tick has that flow, neither on asyncio nor when it fails in a thread."""
    pytest.importorskip("apscheduler", reason="needs apscheduler")
    lines = ticks(f"python -m {APPS}.apscheduler_app", tmp_path, 2)

    ids = [line.flow_id for line in lines if line.logger == "jobs"]
    assert len({*ids, "-", "started1"}) == len(ids) + 2
    failed = [line.flow_id for line in lines if "raised an exc" in line.message]
    assert set(failed) <= set(ids)


def test_scheduler_disabled(tmp_path: Path) -> None:
    """With ``PENSTOCK_DISABLED`` it ticks, and no tick has an ID."""
    pytest.importorskip("apscheduler", reason="needs apscheduler")
    command = "python shop_apscheduler.py"

    lines = ticks(command, tmp_path, 2, PENSTOCK_DISABLED="1")

    assert {line.flow_id for line in lines} == {"-"}


@pytest.mark.parametrize("name", ["parts", "nothing"])
def test_script(name: str, tmp_path: Path) -> None:
    """Two runs of a script have two IDs; with the variable, it is the variable's."""
    given = lines_of(
        run(f"python nightly.py {name}", tmp_path, CORRELATION_ID="a-1").stdout
    )
    fresh = [
        {
            line.flow_id
            for line in lines_of(run(f"python nightly.py {name}", tmp_path).stdout)
        }
        for _ in range(2)
    ]

    assert {line.flow_id for line in given} == {"a-1"}
    assert [line.message for line in given] == [f"import {name}", "failed"][
        : len(given)
    ]
    assert len(fresh[0]) == len(fresh[1]) == 1
    assert fresh[0] != fresh[1]


def test_script_disabled(tmp_path: Path) -> None:
    """With ``PENSTOCK_DISABLED`` a script works."""
    done = run("python nightly.py parts", tmp_path, PENSTOCK_DISABLED="1")

    assert done.returncode == 0
    assert done.stdout == "- nightly: import parts\n"


SETTINGS = """\
import logs
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
LOGGING_CONFIG = None
"""
CALLER = """\
import django, penstock
django.setup()
from django.core.management import call_command
with penstock.start_flow("a3f1c2d4"):
    call_command("import_parts", "parts")
"""


@pytest.fixture
def django_project(tmp_path: Path) -> Path:
    """Make a project around the page's command."""
    pytest.importorskip("django", reason="needs django")
    (tmp_path / "site_settings.py").write_text(SETTINGS)
    (tmp_path / "calls.py").write_text(CALLER)
    return tmp_path


@pytest.mark.parametrize("name", ["parts", "nothing"])
def test_django_command(name: str, django_project: Path) -> None:
    """A command of Django, started by hand, has a fresh ID on each line."""
    settings = {"DJANGO_SETTINGS_MODULE": "site_settings"}
    done = [
        run(f"python -m django import_parts {name}", django_project, **settings)
        for _ in range(2)
    ]

    lines = [lines_of(each.stdout) for each in done]
    ids = [{line.flow_id for line in each} for each in lines]
    assert [each.returncode for each in done] == [int(name == "nothing")] * 2
    assert len(ids[0]) == len(ids[1]) == 1
    assert len({"-"} | ids[0] | ids[1]) == 3
    logged = [f"import {name}", *(["failed"] if name == "nothing" else [])]
    assert [[line.message for line in each] for each in lines] == [logged] * 2
    if name == "parts":
        (shown,) = shown_below("shop/management/commands/import_parts.py")
        assert done[0].stdout.strip()[8:] == shown[8:]


def test_django_command_called_in_a_flow(django_project: Path) -> None:
    """``call_command`` keeps the caller's ID; disabled, it works without."""
    settings = {"DJANGO_SETTINGS_MODULE": "site_settings"}

    called = run("python calls.py", django_project, **settings)
    disabled = run("python calls.py", django_project, PENSTOCK_DISABLED="1", **settings)

    assert called.stdout == "a3f1c2d4 shop: import parts\n"
    assert disabled.stdout == "- shop: import parts\n"


# An application that uses an ID while it is loaded, so that the first process has the
# rest of a batch when it forks.
EARLY = "first = penstock.start_flow().context.correlation_id\n"


def test_uwsgi(tmp_path: Path) -> None:
    """Four forked workers give 200 requests 200 IDs."""
    ids = request_uwsgi(tmp_path, lambda page: page.replace("log =", f"{EARLY}log ="))

    assert len({*ids, "-"}) == len(ids) + 1 == 201


def test_uwsgi_without_the_recipe(tmp_path: Path) -> None:
    """Without ``after_fork()`` they repeat each other's."""

    def without(page: str) -> str:
        line = "postfork(penstock.after_fork)\n"
        assert line in page
        return page.replace(line, "").replace("log =", f"{EARLY}log =")

    assert len(set(request_uwsgi(tmp_path, without))) < 200


def test_uwsgi_disabled(tmp_path: Path) -> None:
    """With ``PENSTOCK_DISABLED`` it answers, and no request has an ID."""
    ids = request_uwsgi(tmp_path, str, PENSTOCK_DISABLED="1")

    assert ids == ["-"] * 200


def request_uwsgi(
    folder: Path, change: Callable[[str], str], **settings: str
) -> list[str]:
    """Send 200 requests to the page's application, changed; return the IDs logged."""
    # One from elsewhere brings another Python.
    command = shutil.which("uwsgi", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("needs uwsgi")
    env = {**reader(folder), **settings}
    app, log, port = folder / "shop_uwsgi.py", folder / "log", servers.free_port()
    app.write_text(change(app.read_text()))
    options = "--master --processes 4 --need-app --die-on-term"
    words = f"{command} --http 127.0.0.1:{port} {options} --wsgi-file {app}".split()

    def get(_: int) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=60) as answer:
            status: int = answer.status
            return status

    with servers.running(words, env=env, cwd=folder, log=log):
        servers.until(lambda: log.read_text().count("spawned uWSGI worker") == 4)
        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(get, range(200))) == {200}
    return [line.flow_id for line in lines_of(log.read_text()) if line.logger == "shop"]
