"""Find Graphviz, in a wheel or on the system, and run it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import MissingExtraError, RenderError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEEL = "graphviz-pure"
_PAD = "-Gpad=0.2"  # inches around the drawing
_TIMEOUT_S = 120.0
_MAX_COMPLAINT = 300  # characters of its error message


@dataclass(frozen=True, slots=True)
class Graphviz:
    """A program with the command line of Graphviz's ``dot``.

    Attributes:
        path: The program.
        has_own_fonts: Whether it draws only with its own fonts.
    """

    path: str
    has_own_fonts: bool

    def draw(self, dot: str, form: str, *options: str) -> bytes:
        """Return *dot* drawn as *form*, ``svg`` or ``png``.

        Raises:
            RenderError: The program cannot be run, fails, or takes too long.
        """
        # -q: no warnings about characters of unknown width; the DOT has all widths.
        command = [self.path, "-q", _PAD, f"-T{form}", *options]
        try:
            status, drawing, said = _run(command, dot.encode())
        except subprocess.TimeoutExpired as exc:
            problem = (
                f"did not finish within {_TIMEOUT_S:g} s. Draw fewer flows at a time, "
                "or another format"
            )
            raise RenderError(self._failed(problem)) from exc
        except OSError as exc:
            problem = f"cannot be run: {exc.strerror or exc}"
            raise RenderError(self._failed(problem)) from exc
        if status:
            how = f"was killed by signal {-status}" if status < 0 else "failed"
            raise RenderError(self._failed(f"{how}: {_shortened(said)}"))
        return drawing

    def wrong_output(self, form: str) -> RenderError:
        """Return the error for output that is not a picture."""
        return RenderError(self._failed(f"wrote something that is not {form}"))

    def _failed(self, problem: str) -> str:
        return f"drawing failed: {self.path!r} {problem}."


def find_graphviz() -> Graphviz:
    """Return the program of the extra ``draw``, else the system's ``dot``.

    Raises:
        MissingExtraError: Neither is installed.
    """
    for path in _wheel_programs():
        if path.is_file() and os.access(path, os.X_OK):
            return Graphviz(str(path), has_own_fonts=True)
    dot = shutil.which("dot")
    if dot is not None:
        return Graphviz(dot, has_own_fonts=False)
    msg = (
        "pictures need 'graphviz-pure', which is not installed, or Graphviz's 'dot', "
        "which is not on PATH. Install the first: pip install 'penstock[draw]'"
    )
    raise MissingExtraError(msg, name="graphviz_pure")


def _wheel_programs() -> Iterator[Path]:
    """Yield the possible paths of the wheel's program, most likely first."""
    with suppress(PackageNotFoundError):
        for file in distribution(_WHEEL).files or ():
            if file.stem == _WHEEL and file.suffix in ("", ".exe"):
                yield Path(str(file.locate()))
    folder = Path(sysconfig.get_path("scripts"))
    yield folder / _WHEEL
    yield folder / f"{_WHEEL}.exe"


def _run(command: list[str], given: bytes) -> tuple[int, bytes, bytes]:
    """Run *command* in a new process group, so that children can be killed, too."""
    # With this locale, numbers and letters are the same on every machine.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(  # noqa: S603  # a fixed program and options, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            drawing, said = process.communicate(given, timeout=_TIMEOUT_S)
        except BaseException:
            _kill(process)
            raise
    return process.returncode, drawing, said


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End *process* and its children, which may hold its pipes open."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:  # pragma: no cover  # Windows ends the children by itself
        process.kill()


def _shortened(said: bytes) -> str:
    text = " ".join(said.decode(errors="replace").split())
    return text[:_MAX_COMPLAINT].rstrip(".") or "no error message"
