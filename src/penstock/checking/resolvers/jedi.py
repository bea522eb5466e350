"""Ask jedi where a name is defined."""

from __future__ import annotations

import logging
import tokenize
from typing import TYPE_CHECKING

from penstock._platform.optional import requires
from penstock.checking.findings import Place

with requires("jedi", extra="check"):
    import jedi
    from jedi.api.environment import InterpreterEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["JediResolver"]


_MAX_SCRIPTS = 20  # files that jedi has open; each may hold megabytes


class JediResolver:
    """Asks jedi, which reads code without running it, and takes its time.

    Args:
        root: Folder of the project.
        import_path: Where imports begin.
        most: How many questions jedi gets; those that come later are not answered.
            A count and no time, so that each run finds the same.

    Attributes:
        name: What people call it.
        asked: How many questions jedi got.
        unasked: How many it did not get.
    """

    name = "jedi"

    def __init__(
        self, root: Path, import_path: Iterable[Path], *, most: int = 500
    ) -> None:
        self._project = jedi.Project(
            root, added_sys_path=[str(folder) for folder in import_path]
        )
        # Where everything is logged, as a Django project may do, each file is a line.
        logging.getLogger("parso").setLevel(logging.WARNING)
        self._environment = InterpreterEnvironment()
        self._scripts: dict[str, tuple[jedi.Script, list[str]]] = {}
        self._most = most
        self.asked: int = 0
        self.unasked: int = 0

    def close(self) -> None:
        """Forget the files that were read."""
        self._scripts.clear()

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return what jedi's "go to" finds."""
        if self.asked >= self._most:
            self.unasked += 1
            return ()
        self.asked += 1
        try:
            return self._go_to(path, line, column)
        except Exception:  # noqa: BLE001  # on odd code jedi raises anything: unknown
            return ()

    def _go_to(self, path: str, line: int, column: int) -> list[Place]:
        script, lines = self._script(path)
        text = lines[line - 1].encode()[:column].decode()
        names = script.goto(line, len(text), follow_imports=True)
        return [
            Place(str(name.module_path), name.line)
            for name in names
            if name.module_path is not None and name.line is not None
        ]

    def _script(self, path: str) -> tuple[jedi.Script, list[str]]:
        if path not in self._scripts:
            if len(self._scripts) >= _MAX_SCRIPTS:
                del self._scripts[next(iter(self._scripts))]
            with tokenize.open(path) as file:
                code = file.read()
            script = jedi.Script(
                code,
                path=path,
                project=self._project,
                environment=self._environment,
            )
            # Not splitlines(): a form feed ends no line of a program.
            self._scripts[path] = script, code.split("\n")
        return self._scripts[path]
