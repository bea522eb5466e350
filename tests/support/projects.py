"""A project in its own folder, and the command line that runs there."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
import warnings
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING
from unittest import mock

import penstock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

__all__ = ["PROCESS", "Project", "Result", "called", "surroundings", "within"]

PROCESS = (sys.executable, "-m", "penstock")
"""The command line in a process of its own."""

# Environment variables that would change what a test sees.
_UNWANTED = (
    "DJANGO_SETTINGS_MODULE",
    "GITHUB_",
    "OTEL_",
    "PENSTOCK_",
    "NO_COLOR",
    "FORCE_COLOR",
)


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended, and what it printed."""

    returncode: int
    output: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        """The output as text, with line ends as Python reads them."""
        return self.output.decode().replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Project:
    """A project in its own folder."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def penstock(
        self,
        *arguments: str,
        cwd: str = ".",
        program: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        stdout: io.TextIOWrapper | None = None,
    ) -> Result:
        """Run ``penstock`` with *arguments* in the folder *cwd*, with *env* added.

        It runs in this process unless *program* is given. *stdout* may
        stand for a terminal.
        """
        folder = self.root / cwd
        if program:
            return _started([*program, *arguments], folder, env or {})
        from penstock.cli import main  # noqa: PLC0415  # some tests need no click

        with within(folder, env or {}):
            return called(main, ["penstock", *arguments], stdout)


def _started(command: list[str], cwd: Path, env: Mapping[str, str]) -> Result:
    """Run *command* in its own process."""
    done = subprocess.run(
        command,
        cwd=cwd,
        check=False,
        capture_output=True,
        env=surroundings() | dict(env),
    )
    told = done.stderr.decode().replace("\r\n", "\n")
    return Result(done.returncode, done.stdout, told)


def called(
    main: Callable[[], object],
    argv: list[str],
    stdout: io.TextIOWrapper | None = None,
) -> Result:
    """Call the entry point of a program with *argv*, and catch what it prints."""
    out = stdout or io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    status = 0
    with (
        mock.patch.object(sys, "argv", argv),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as exc:
            status = int(exc.code or 0)
    out.flush()
    err.flush()
    output = out.buffer
    told = err.buffer
    assert isinstance(output, io.BytesIO)
    assert isinstance(told, io.BytesIO)
    return Result(status, output.getvalue(), told.getvalue().decode())


@contextmanager
def within(folder: Path, env: Mapping[str, str]) -> Generator[None]:
    """Imitate a fresh process in *folder* for penstock and its imports.

    The folder, the environment, ``sys.path``, the modules imported from *folder* or
    from anywhere else that is not installed, warnings and declared flows are what they
    were before.
    """
    here, path, modules = Path.cwd(), list(sys.path), set(sys.modules)
    was_silent = sys.dont_write_bytecode
    with (
        mock.patch.dict(os.environ, surroundings() | dict(env), clear=True),
        warnings.catch_warnings(),
        nullcontext() if "DJANGO_SETTINGS_MODULE" in env else _without_django(),
        _without_shared_tasks(),
    ):
        warnings.resetwarnings()
        for category in (DeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)  # as Python starts
        os.chdir(folder)
        sys.path[:] = [*_python_path(env), *path]
        sys.dont_write_bytecode = True
        importlib.invalidate_caches()
        _forget_flows()
        try:
            yield
        finally:
            os.chdir(here)
            sys.path[:] = path
            sys.dont_write_bytecode = was_silent
            new = set(sys.modules) - modules
            for name in [name for name in new if _is_of_a_test(name)]:
                del sys.modules[name]
    _forget_flows()


def _without_django() -> AbstractContextManager[object]:
    """Make Django look as if it were not set up, because other tests set it up."""
    django = sys.modules.get("django.apps.registry")
    if django is None:
        return nullcontext()
    return mock.patch.object(django.apps, "ready", new=False)


@contextmanager
def _without_shared_tasks() -> Generator[None]:
    """Forget the project's shared tasks of Celery, which later apps would adopt."""
    if find_spec("celery") is None:
        yield
        return
    importlib.import_module("celery.app.builtins")  # adds tasks that must stay
    finalizers = importlib.import_module("celery._state")._on_app_finalizers  # noqa: SLF001  # where they stay
    before = set(finalizers)
    yield
    finalizers.intersection_update(before)


def _python_path(env: Mapping[str, str]) -> list[str]:
    return env["PYTHONPATH"].split(os.pathsep) if "PYTHONPATH" in env else []


def _forget_flows() -> None:
    penstock.reset()
    penstock.forget_flow()


_LASTING = (sys.prefix, sys.base_prefix, str(Path(penstock.__file__).parent))


def _is_of_a_test(name: str) -> bool:
    """Return whether a module is neither installed nor part of penstock."""
    module = sys.modules[name]
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    files = [place for place in places if place]
    return bool(files) and not any(place.startswith(_LASTING) for place in files)


def surroundings() -> dict[str, str]:
    """Return the environment without variables that change what a test sees."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNWANTED)
    }
