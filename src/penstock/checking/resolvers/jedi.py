"""Ask jedi where a name is defined."""

from __future__ import annotations

import logging
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from penstock._platform.optional import requires
from penstock.checking.findings import Place

from .base import text_before

with requires("jedi", extra="check"):
    import jedi
    from jedi.api.environment import InterpreterEnvironment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MAX_SCRIPTS = 20  # files that jedi keeps open; each may take megabytes


class JediResolver:
    """Asks jedi, which is slow, but needs no stubs.

    Args:
        root: Folder of the project.
        import_path: Folders that its modules are imported from.
    """

    def __init__(self, root: Path, import_path: Sequence[Path]) -> None:
        # Parso logs a line per file, which a project that logs everything would show.
        logging.getLogger("parso").setLevel(logging.WARNING)
        project = jedi.Project(root, added_sys_path=[str(one) for one in import_path])
        environment = InterpreterEnvironment()
        script = partial(jedi.Script, project=project, environment=environment)
        self._script = lru_cache(_MAX_SCRIPTS)(script)

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return what jedi's "go to" finds."""
        before = text_before(path, line, column)
        try:
            script = self._script(path=path)
            names = script.goto(line, len(before), follow_imports=True)
        except Exception:  # noqa: BLE001  # jedi raises anything on odd code: unknown
            return ()
        return sorted(  # jedi gives them in any order
            Place(str(name.module_path), name.line)
            for name in names
            if name.module_path is not None and name.line is not None
        )

    def close(self) -> None:
        """Forget the files."""
        self._script.cache_clear()
