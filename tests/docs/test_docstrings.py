"""Every example in a docstring runs, and shows what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import penstock
from penstock._registry import registry
from penstock.errors import MissingExtraError

MODULES = [
    "penstock",
    *(info.name for info in pkgutil.walk_packages(penstock.__path__, "penstock.")),
]


@pytest.mark.parametrize("name", [n for n in MODULES if not n.endswith("__main__")])
def test_examples_in_docstrings(name: str) -> None:
    """A reader who copies the example gets what the docstring shows."""
    try:
        module = importlib.import_module(name)
    except MissingExtraError as exc:
        pytest.skip(f"needs {exc.name}")
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    told: list[str] = []

    for test in finder.find(module, name):
        registry.clear()
        runner.run(test, out=told.append)

    assert not told, "".join(told)
