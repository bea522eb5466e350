"""Run a program, and record which functions of the project begin in which order.

It runs as ``python recorder.py OUTPUT ROOT COMMAND ...``, in a process of its own, and
imports nothing of penstock, so that COMMAND finds everything as without it.
"""

from __future__ import annotations

import atexit
import json
import runpy
import shutil
import sys
import threading
from opcode import opmap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["main"]

_MAX_EVENTS = 1_000_000  # 100 MB; what comes after them is not recorded
_TOOL = 4  # one of the two numbers that sys.monitoring leaves to no kind of tool
_PAUSES = {opmap.get("YIELD_VALUE"), opmap.get("RETURN_GENERATOR")}
_SUSPENDS = 0x20 | 0x80 | 0x200  # flags of generators and coroutines


class _Recorder:
    """Keeps what begins and ends in each thread.

    Attributes:
        threads: The events of each thread: the number of a call, and the place of its
            function when it begins, None when it ends.
    """

    def __init__(self, root: str) -> None:
        self.threads: list[list[tuple[int, str | None]]] = []
        self._root = root
        self._places: dict[CodeType, str] = {}
        self._local = threading.local()
        self._count = 0

    def start(self) -> None:
        """Listen to every call from here on."""
        if sys.version_info >= (3, 12):
            self._monitor()
        else:
            threading.setprofile(self._profile)
            sys.setprofile(self._profile)

    def _monitor(self) -> None:
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # 3.12
        events = monitoring.events
        monitoring.use_tool_id(_TOOL, "penstock draft")
        monitoring.register_callback(_TOOL, events.PY_START, self._on_start)
        for event in (events.PY_RETURN, events.PY_UNWIND):
            monitoring.register_callback(_TOOL, event, self._on_end)
        wanted = events.PY_START | events.PY_RETURN | events.PY_UNWIND
        monitoring.set_events(_TOOL, wanted)

    def _on_start(self, code: CodeType, _offset: int) -> object:
        if not self._place(code):
            return sys.monitoring.DISABLE  # type: ignore[attr-defined,unused-ignore]  # 3.12
        self._begin(id(sys._getframe(1)), code)  # noqa: SLF001  # events have no frame
        return None

    def _on_end(self, code: CodeType, *_given: object) -> None:
        if self._place(code):
            self._end(id(sys._getframe(1)))  # noqa: SLF001  # as above

    def _profile(self, frame: FrameType, event: str, _given: object) -> None:
        code = frame.f_code
        if not self._place(code):
            return
        if event == "call":
            self._begin(id(frame), code)
        elif event == "return" and code.co_code[frame.f_lasti] not in _PAUSES:
            self._end(id(frame))

    def _place(self, code: CodeType) -> str:
        """Return the place of a function of the project, else ``""``."""
        place = self._places.get(code)
        if place is None:
            path = code.co_filename
            is_own = path.startswith(self._root) and "site-packages" not in path
            place = f"{path}:{code.co_firstlineno}" if is_own else ""
            self._places[code] = place
        return place

    def _begin(self, frame: int, code: CodeType) -> None:
        events, active = self._state()
        if frame in active and code.co_flags & _SUSPENDS:
            return  # it goes on
        if self._count < _MAX_EVENTS:
            self._count += 1
            active[frame] = self._count
            events.append((self._count, self._places[code]))

    def _end(self, frame: int) -> None:
        events, active = self._state()
        number = active.pop(frame, None)
        if number is not None:
            events.append((number, None))

    def _state(self) -> tuple[list[tuple[int, str | None]], dict[int, int]]:
        state: tuple[list[tuple[int, str | None]], dict[int, int]] | None
        state = getattr(self._local, "state", None)
        if state is None:
            state = self._local.state = ([], {})
            self.threads.append(state[0])
        return state


def main(output: str, root: str, command: list[str]) -> None:
    """Run *command*, and write what it called to the file *output* when it ends."""
    recorder = _Recorder(root)
    atexit.register(
        lambda: Path(output).write_text(json.dumps(recorder.threads), encoding="utf-8")
    )
    if Path(command[0]).stem.startswith("python"):
        del command[0]
    is_module = command[0] == "-m"
    if is_module:
        del command[0]
    script = "" if is_module else _script(command[0])
    sys.path[0] = str(Path(script).resolve().parent) if script else str(Path.cwd())
    sys.argv = list(command)
    recorder.start()
    if is_module:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(script, run_name="__main__")


def _script(name: str) -> str:
    """Return the file of a script, or of a program that is written in Python."""
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    return name if Path(name).is_file() else beside or shutil.which(name) or name


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
