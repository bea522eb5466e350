"""Import the user's modules, and show a failure by the user's own lines."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import sysconfig
import traceback
from contextlib import chdir, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.shown import shown_path
from penstock.errors import PenstockError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import ModuleType

_NEED_SETTINGS = ("ImproperlyConfigured", "AppRegistryNotReady")  # Django's
_TAIL = 3  # lines of the traceback: enough to see who imported what
_PENSTOCK = str(Path(__file__).parents[1])
INSTALLED = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class TargetError(PenstockError):
    """A target does not exist, or importing it failed."""


class MissingTargetError(TargetError):
    """A target does not exist."""


def is_django_without_settings() -> bool:
    """Return whether a Django project is here, and nothing names its settings."""
    return Path("manage.py").is_file() and "DJANGO_SETTINGS_MODULE" not in os.environ


@contextmanager
def user_code(doing: str) -> Generator[None]:
    """Run code of the user, and send what it prints to stderr.

    The current folder stays what it is, for paths in targets and options.

    Args:
        doing: What it does, for the message: "importing 'shop'".

    Raises:
        TargetError: The code raised anything but a ``KeyboardInterrupt``.
    """
    try:
        with redirect_stdout(sys.stderr), chdir("."):
            yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as exc:  # SystemExit, or a Skipped of pytest
        # Python 3.11 wraps what is raised while a class is made.
        error = exc.__cause__ if isinstance(exc.__cause__, PenstockError) else exc
        kind = type(error).__name__
        what = f"{kind}: {error}" if str(error) else kind
        lines = f"{doing} failed: {what}".splitlines()
        lines += _tail(exc)
        if kind in _NEED_SETTINGS and is_django_without_settings():
            lines.append(
                "Run python manage.py penstock, with penstock.contrib.django in "
                "INSTALLED_APPS, or set DJANGO_SETTINGS_MODULE."
            )
        raise TargetError(*lines) from exc


def import_module(name: str) -> ModuleType:
    """Import the module *name*.

    Raises:
        TargetError: There is no such module, or it cannot be imported.
    """
    with user_code(f"importing {name!r}"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as exc:
            if _is_about(exc, name):
                missing = exc.name or name
            else:
                raise
    raise not_there(missing)


def not_there(name: str) -> MissingTargetError:
    """Return the error that there is no module *name*, with a suggestion."""
    parent, dot, _ = name.rpartition(".")
    if dot:
        folders = getattr(sys.modules[parent], "__path__", [])
        looked = ""
    else:
        folders = [str(Path(entry).absolute()) for entry in sys.path]
        folders = [one for one in dict.fromkeys(folders) if _is_own(one)]
        looked = f" penstock looked in {', '.join(map(shown_path, folders))} and among "
        looked += "installed packages."
    beside = (info.name for info in pkgutil.iter_modules(folders, parent + dot))
    hint = did_you_mean(name, beside)
    return MissingTargetError(f"there is no module {name!r}.{hint}{looked}")


def _is_own(folder: str) -> bool:
    return not folder.startswith(INSTALLED) and Path(folder).is_dir()


def _is_about(exc: ModuleNotFoundError, name: str) -> bool:
    """Tell whether *name* itself is missing, rather than something that it imports."""
    return f"{name}.".startswith(f"{exc.name}.") and not _frames(exc)


def _tail(exc: BaseException) -> list[str]:
    places = [
        (f"{shown_path(frame.filename)}:{frame.lineno}", frame.line or "")
        for frame in _frames(exc)
    ]
    if isinstance(exc, SyntaxError) and exc.filename is not None:
        places.append((f"{shown_path(exc.filename)}:{exc.lineno}", exc.text or ""))
    places = places[-_TAIL:]
    width = max((len(place) for place, _ in places), default=0)
    return [f"  {place:<{width}}  {line.strip()}".rstrip() for place, line in places]


def _frames(exc: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of the user's files, else of all files outside penstock."""
    others = [
        frame
        for frame in traceback.extract_tb(exc.__traceback__)
        if not frame.filename.startswith((_PENSTOCK, "<frozen importlib"))
        and Path(frame.filename) != Path(importlib.__file__)
    ]
    own = [frame for frame in others if not frame.filename.startswith(INSTALLED)]
    return own or others
