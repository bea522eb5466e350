"""The command line: ``penstock`` and ``python -m penstock``."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["main", "threads_left_behind"]

_PATIENCE_S = 1.0


def main() -> None:
    """Run the command in ``sys.argv`` and exit: 0 clean, 1 findings, 2 failure."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: penstock list >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  # until the end
    try:
        # Here, so that a missing extra is a message, not a traceback.
        from ._app import app  # noqa: PLC0415  # click may be missing

        with threads_left_behind():
            # Windows must not expand shop.** to files: it stands for modules.
            app(prog_name="penstock", windows_expand_args=False)
    except MissingExtraError as exc:
        sys.exit(_complain(exc))


@contextmanager
def threads_left_behind() -> Generator[None]:
    """End the process after the block, even if imported modules started threads.

    Python waits for threads that are not daemons. They get a second to end.
    """
    before = set(threading.enumerate())
    status = 1
    try:
        yield
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else bool(exc.code)
        raise
    finally:
        started = [one for one in threading.enumerate() if one not in before]
        names = [one.name for one in started if not one.daemon]
        if names:
            timer = threading.Timer(_PATIENCE_S, _end, (status, names))
            timer.daemon = True
            timer.start()


def _end(status: int, names: list[str]) -> None:
    from penstock._project.shown import note  # noqa: PLC0415  # seldom needed

    note(f"Not waiting for threads of the program: {', '.join(names)}.")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _complain(exc: MissingExtraError) -> int:
    print(f"Error: {exc}", file=sys.stderr)  # noqa: T201  # click is what is missing
    return 2
