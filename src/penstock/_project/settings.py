"""The settings of a project: ``[tool.penstock]`` in its pyproject.toml."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._platform.json_fields import JsonObject
from penstock._steps.source_links import wrong_template
from penstock.errors import ConfigurationError, did_you_mean
from penstock.renderers.picture.theme import HUES

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

_FILE = "pyproject.toml"
_TABLE = "[tool.penstock]"
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
        colors: The hue that a service or owner has in pictures.
    """

    root: Path
    targets: tuple[str, ...] = ()
    source_url: str = ""
    baseline: Path | None = None
    runs: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict)

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
    folders = (start, *start.parents)
    for folder in folders:
        path = folder / _FILE
        table = read_table(path)
        if table is not None:
            with _faults_of(path):
                return _project(folder, table)
    return Project(next((one for one in folders if (one / _FILE).exists()), start))


def read_table(path: Path) -> JsonObject | None:
    """Return ``[tool.penstock]`` of the pyproject.toml at *path*, if there is one.

    Raises:
        ConfigurationError: The file cannot be read, or this is not a table.
    """
    with _faults_of(path):
        try:
            text = path.read_text(encoding="utf-8-sig")  # editors may write the mark
        except (FileNotFoundError, NotADirectoryError):
            return None
        tool = tomllib.loads(text).get("tool", {})
        has_table = "penstock" in JsonObject(tool, "[tool]").keys
        return JsonObject(tool["penstock"], _TABLE) if has_table else None


@contextmanager
def _faults_of(path: Path) -> Generator[None]:
    try:
        yield
    except RecursionError:
        reason = "it is nested too deeply."
    except OSError as exc:
        reason = f"it cannot be read: {exc.strerror or exc}."
    except ValueError as exc:
        reason = str(exc)
    else:
        return
    msg = f"{path}: {reason}"
    raise ConfigurationError(msg)


def _project(folder: Path, fields: JsonObject) -> Project:
    for key in fields.keys:
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
    named = JsonObject(fields.values("fields"), f"{_TABLE}.fields")
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
        _colors(JsonObject(fields.values("colors"), f"{_TABLE}.colors")),
    )


def _colors(fields: JsonObject) -> dict[str, str]:
    colors = {name: fields.text(name) for name in fields.keys}
    for name, color in colors.items():
        if color not in HUES:
            problem = (
                f"{_TABLE}.colors has no color {color!r} for {name!r}."
                f"{did_you_mean(color, HUES)} Colors are: {', '.join(HUES)}."
            )
            raise ValueError(problem)
    return colors
