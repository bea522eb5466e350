"""Every example in a docstring runs, and shows what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

import penstock

if TYPE_CHECKING:
    from types import ModuleType

# These import their package only in the examples.
INTEGRATES = {
    "penstock.contrib.httpx": "httpx",
    "penstock.contrib.loguru": "loguru",
    "penstock.contrib.structlog": "structlog",
}

MODULES = [
    "penstock",
    *(info.name for info in pkgutil.walk_packages(penstock.__path__, "penstock.")),
]


def import_or_skip(name: str) -> ModuleType:
    """Import the module *name*; skip the test if a package that it needs is missing."""
    package = INTEGRATES.get(name)
    if package is not None and find_spec(package) is None:
        pytest.skip(f"needs {package}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("penstock"):
            raise
        pytest.skip(f"needs {exc.name}")


@pytest.mark.parametrize("name", [n for n in MODULES if not n.endswith("__main__")])
def test_examples_in_docstrings(name: str) -> None:
    """A reader who copies the example gets what the docstring shows."""
    module = import_or_skip(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    told: list[str] = []

    for test in finder.find(module, name):
        penstock.forget_flow()
        runner.run(test, out=told.append)

    assert not told, "".join(told)
