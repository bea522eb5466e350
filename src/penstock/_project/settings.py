"""The settings of a project: ``[tool.penstock]`` in its pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._platform.json_fields import JsonObject
from penstock._platform.pyproject import PYPROJECT, TABLE, faults_of, find_table
from penstock._steps.source_links import wrong_template
from penstock.errors import did_you_mean
from penstock.renderers.picture.theme import read_hues

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = (
    "import",
    "source-url",
    "baseline",
    "runs",
    "fields",
    "colors",
    "pytest",  # for the plugin
)


@dataclass(frozen=True, slots=True)
class Project:
    """The project that a command runs in.

    Attributes:
        root: Folder of its pyproject.toml, otherwise the current one.
        targets: The targets for commands that are called without any.
        source_url: Where to read the source, as ``configure`` takes it.
        baseline: The file of findings that ``check`` does not report, if any.
        runs: Where the lines about stored runs are.
        fields: The key that such lines have for a field of penstock's.
    """

    root: Path
    targets: tuple[str, ...] = ()
    source_url: str = ""
    baseline: Path | None = None
    runs: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def import_path(self) -> tuple[Path, ...]:
        """The folders to look for modules in: here, the root, and ``src`` in it."""
        src = self.root / "src"
        is_layout = src.is_dir() and not (src / "__init__.py").exists()
        return (Path.cwd(), self.root, *([src] if is_layout else []))


def find_project(start: Path) -> Project:
    """Return the project that *start* is in.

    Its pyproject.toml is the nearest one upwards that has a ``[tool.penstock]``,
    otherwise the nearest one.

    Raises:
        ConfigurationError: That file is not TOML, or a setting in it is wrong.
    """
    found = find_table(start)
    if found:
        path, table = found
        with faults_of(path):
            return _project(path.parent, table)
    folders = (start, *start.parents)
    return Project(next((one for one in folders if (one / PYPROJECT).exists()), start))


def _project(folder: Path, fields: JsonObject) -> Project:
    for key in fields.keys:
        if key not in _KNOWN:
            problem = (
                f"{TABLE} has no setting {key!r}.{did_you_mean(key, _KNOWN)} "
                f"Settings are: {', '.join(_KNOWN)}."
            )
            raise ValueError(problem)
    url = fields.text("source-url")
    if problem := wrong_template(url) if url else "":
        msg = f"{TABLE}.source-url = {url!r}: {problem}."
        raise ValueError(msg)
    baseline = fields.text("baseline")
    read_hues(fields)  # pictures read them again, where they are drawn
    named = JsonObject(fields.values("fields"), f"{TABLE}.fields")
    return Project(
        folder,
        fields.texts("import"),
        url,
        folder / baseline if baseline else None,
        tuple(
            one if one == "-" or "://" in one else str(folder / one)
            for one in fields.texts("runs")
        ),
        {name: named.text(name) for name in named.keys},
    )
