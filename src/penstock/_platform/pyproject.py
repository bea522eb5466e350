"""Find the settings of a project: ``[tool.penstock]`` in its pyproject.toml."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError

from .json_fields import JsonObject

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

PYPROJECT = "pyproject.toml"
TABLE = "[tool.penstock]"


def find_table(start: Path) -> tuple[Path, JsonObject] | None:
    """Return the nearest ``[tool.penstock]`` upwards from *start*, and its file.

    Raises:
        ConfigurationError: A file on the way cannot be read, or is not TOML.
    """
    for folder in (start, *start.parents):
        path = folder / PYPROJECT
        table = read_table(path)
        if table is not None:
            return path, table
    return None


def read_table(path: Path) -> JsonObject | None:
    """Return ``[tool.penstock]`` of the pyproject.toml at *path*, if there is one.

    Raises:
        ConfigurationError: The file cannot be read, or this is not a table.
    """
    with faults_of(path):
        try:
            text = path.read_text(encoding="utf-8-sig")  # editors may write the mark
        except (FileNotFoundError, NotADirectoryError):
            return None
        tool = tomllib.loads(text).get("tool", {})
        has_table = "penstock" in JsonObject(tool, "[tool]").keys
        return JsonObject(tool["penstock"], TABLE) if has_table else None


@contextmanager
def faults_of(path: Path) -> Generator[None]:
    """Turn what is wrong with the file at *path* into a ``ConfigurationError``."""
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
