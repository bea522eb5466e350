"""What ``[tool.penstock]`` in the nearest pyproject.toml says."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from penstock._steps.source_links import wrong_template
from penstock.errors import ConfigurationError, did_you_mean

__all__ = ["Project", "find_project"]


@dataclass(frozen=True, slots=True)
class Project:
    """The project that a command runs in.

    Attributes:
        root: Folder of its pyproject.toml, else the current one.
        targets: What commands take where no target is named.
        source_url: Where the source can be read, as ``configure`` takes it.
        baseline: The file of what ``check`` is not to report, if there is one.
    """

    root: Path
    targets: tuple[str, ...] = ()
    source_url: str = ""
    baseline: Path | None = None

    @property
    def import_path(self) -> tuple[Path, ...]:
        """Folders whose modules can be targets: here, the root, and ``src`` in it."""
        src = self.root / "src"
        is_layout = src.is_dir() and not (src / "__init__.py").exists()
        return (Path.cwd(), self.root, *([src] if is_layout else []))


_KNOWN = (
    "import",
    "source-url",
    "baseline",
    "pytest",
)  # the last is for the pytest plugin


def find_project(start: Path) -> Project:
    """Return the project that *start* is in.

    Its pyproject.toml is the first one upwards that has a ``[tool.penstock]``.

    Raises:
        ConfigurationError: That file is not TOML, or a setting in it is wrong.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        settings = _settings(path)
        if settings is not None:
            return Project(
                folder,
                _strings(settings, "import", path),
                _address(settings, "source-url", path),
                _file(settings, "baseline", path),
            )
    return Project(start)


def _settings(path: Path) -> dict[str, object] | None:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        msg = f"cannot read {path}: {exc}"
        raise ConfigurationError(msg) from exc
    settings = content.get("tool", {}).get("penstock")
    if settings is None:
        return None
    for key in settings:
        if key not in _KNOWN:
            msg = (
                f"{path}: [tool.penstock] has no setting {key!r}."
                f"{did_you_mean(key, _KNOWN)} Known: {', '.join(_KNOWN)}."
            )
            raise ConfigurationError(msg)
    return dict(settings)


def _strings(settings: dict[str, object], key: str, path: Path) -> tuple[str, ...]:
    values = settings.get(key, [])
    if isinstance(values, list):
        items = cast("list[object]", values)
        strings = tuple(item for item in items if isinstance(item, str))
        if len(strings) == len(items):
            return strings
    msg = f"{path}: [tool.penstock] {key} must be a list of strings, not {values!r}."
    raise ConfigurationError(msg)


def _address(settings: dict[str, object], key: str, path: Path) -> str:
    value = settings.get(key, "")
    problem = wrong_template(value) if isinstance(value, str) else "it takes a text"
    if problem:
        msg = f"{path}: [tool.penstock] {key} = {value!r}: {problem}."
        raise ConfigurationError(msg)
    return str(value)


def _file(settings: dict[str, object], key: str, path: Path) -> Path | None:
    value = settings.get(key)
    if value is None or (isinstance(value, str) and value):
        return path.parent / value if value else None
    msg = f"{path}: [tool.penstock] {key} must name a file, not {value!r}."
    raise ConfigurationError(msg)
