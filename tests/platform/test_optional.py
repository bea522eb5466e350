"""White-box tests of imports from extras: missing, broken, or installed."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from penstock import MissingExtraError, PenstockError
from penstock._platform.optional import requires
from tests.support.declarations import run, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_package_names_the_extra() -> None:
    """The error names the command that installs it."""
    with (
        pytest.raises(
            MissingExtraError,
            match=r"^'no_such_package' is not installed\. "
            r"Install it with: pip install 'penstock\[things\]'$",
        ) as caught,
        requires("no_such_package", extra="things"),
    ):
        import_module("no_such_package.deeper")

    assert caught.value.name == "no_such_package"
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_missing_package_is_a_missing_module() -> None:
    """Code that catches ``ImportError`` or ``PenstockError`` catches it."""
    assert issubclass(MissingExtraError, PenstockError)
    assert issubclass(MissingExtraError, ModuleNotFoundError)


def test_a_package_that_lacks_another_shows_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package whose dependency is missing is not reported as missing."""
    write(tmp_path, {"broken_package.py": "import no_such_dependency"})
    monkeypatch.syspath_prepend(tmp_path)

    with (
        pytest.raises(ModuleNotFoundError, match="no_such_dependency") as caught,
        requires("broken_package", extra="things"),
    ):
        import_module("broken_package")

    assert not isinstance(caught.value, MissingExtraError)
    sys.modules.pop("broken_package", None)


@pytest.mark.parametrize(
    "error", [ImportError("x"), ModuleNotFoundError("y"), KeyError]
)
def test_another_error_passes(error: type[Exception] | Exception) -> None:
    """Errors about anything but a missing module pass through."""
    with (
        pytest.raises((ImportError, KeyError)) as caught,
        requires("json", extra="things"),
    ):
        raise error

    assert not isinstance(caught.value, MissingExtraError)


def test_a_package_that_is_there_is_imported() -> None:
    """An installed package is imported as usual."""
    with requires("json", extra="things"):
        json = import_module("json")

    assert json.dumps(1) == "1"


def test_the_message_is_what_users_see(tmp_path: Path) -> None:
    """Importing an integration without its package names the extra."""
    program = """
        import sys
        sys.modules["opentelemetry"] = None
        try:
            import penstock.backends.otel
        except ImportError as error:
            print(error)
    """
    write(tmp_path, {"program.py": program})

    assert "pip install 'penstock[otel]'" in run(tmp_path, "program.py")
