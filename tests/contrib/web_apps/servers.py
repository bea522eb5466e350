"""Start an application under a real server."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.contrib.django_site.servers import ROOT, Server
from tests.support.servers import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

APP = "tests.contrib.web_apps.server:app"
GUNICORN = f"-m gunicorn {APP} --no-control-socket -b 127.0.0.1:{{port}}"
UVICORN = f"-m uvicorn {APP} --port {{port}} --log-config {{folder}}/log.ini"
COMMANDS = {
    "gunicorn-sync": f"{GUNICORN} -k sync",
    "gunicorn-gthread": f"{GUNICORN} -k gthread --threads 4",
    "gunicorn-gevent": f"{GUNICORN} -k gevent",
    "uvicorn-h11": f"{UVICORN} --http h11",
    "uvicorn-httptools": f"{UVICORN} --http httptools",
    "hypercorn": f"-m hypercorn {APP} -b 127.0.0.1:{{port}}",
}
NEEDS = {"gunicorn-gevent": "gevent", "uvicorn-httptools": "httptools"}


@contextmanager
def serve(name: str, app: str, folder: Path) -> Generator[Server]:
    """Run the application *app* under the server *name*, until the block ends."""
    for package in (app, name.partition("-")[0], NEEDS.get(name, "")):
        if package and find_spec(package) is None:
            pytest.skip(f"needs {package}")
    port, log = free_port(), folder / "site.log"
    (folder / "log.ini").write_text(NO_LOGGING, encoding="utf-8")
    command = [sys.executable, *COMMANDS[name].format(port=port, folder=folder).split()]
    env = {"SITE_LOG": str(log), "SITE_APP": app, "PYTHONWARNINGS": "default"}
    with serving(command, port, env=env, cwd=ROOT, log=folder / "server.log"):
        yield Server(name, port, log)


# uvicorn's own lines go where the application's go: to the root logger.
NO_LOGGING = """
[loggers]
keys=root
[handlers]
keys=
[formatters]
keys=
[logger_root]
level=INFO
handlers=
"""
