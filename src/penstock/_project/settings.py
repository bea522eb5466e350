"""The settings of a project: ``[tool.penstock]`` in its pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock._platform.json_fields import JsonObject
from penstock._steps.source_links import wrong_template
from penstock.errors import ConfigurationError, did_you_mean

__all__ = ["Project", "find_project"]

_TABLE = "[tool.penstock]"
_KNOWN = ("import", "source-url", "baseline", "pytest")  # pytest is for the plugin


@dataclass(frozen=True, slots=True)
class Project:
    """The project that a command runs in.

    Attributes:
        root: Folder of its pyproject.toml, else the current one.
        targets: The targets of commands that name none.
        source_url: Where to read the source, as ``configure`` takes it.
        baseline: The file of findings that ``check`` does not report, if any.
    """

    root: Path
    targets: tuple[str, ...] = ()
    source_url: str = ""
    baseline: Path | None = None

    @property
    def import_path(self) -> tuple[Path, ...]:
        """The folders to look for modules in: here, the root, and ``src`` in it."""
        src = self.root / "src"
        is_layout = src.is_dir() and not (src / "__init__.py").exists()
        return (Path.cwd(), self.root, *([src] if is_layout else []))


def find_project(start: Path) -> Project:
    """Return the project that *start* is in.

    Its pyproject.toml is the nearest one upwards that has a ``[tool.penstock]``.

    Raises:
        ConfigurationError: That file is not TOML, or a setting in it is wrong.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        try:
            table = _table(path)
            if table is not None:
                return _project(folder, table)
        except (OSError, ValueError) as exc:
            msg = f"{path}: {exc}"
            raise ConfigurationError(msg) from exc
    return Project(start)


def _table(path: Path) -> Any:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return document.get("tool", {}).get("penstock")


def _project(folder: Path, table: Any) -> Project:
    fields = JsonObject(table, _TABLE)
    for key in table:
        if key not in _KNOWN:
            problem = (
                f"{_TABLE} has no setting {key!r}.{did_you_mean(key, _KNOWN)} "
                f"Settings are: {', '.join(_KNOWN)}."
            )
            raise ValueError(problem)
    url = fields.text("source-url")
    if problem := wrong_template(url) if url else "":
        msg = f"{_TABLE}.source-url = {url!r}: {problem}."
        raise ValueError(msg)
    baseline = fields.text("baseline")
    return Project(
        folder, fields.texts("import"), url, folder / baseline if baseline else None
    )
