"""``import penstock``: what it offers, and how little it loads."""

from __future__ import annotations

import importlib.metadata
from operator import attrgetter
from typing import TYPE_CHECKING

import pytest

import penstock
from tests.support.declarations import run

if TYPE_CHECKING:
    from pathlib import Path

COLD = ("FlowInfo", "StepInfo", "generate_dag")


def loaded(folder: Path, program: str) -> set[str]:
    """Return the modules that *program* adds to those that are there anyway.

    On Python 3.14, ``logging`` imports ``dataclasses`` and ``inspect``. On 3.15, the
    first ``NamedTuple`` whose annotations are strings imports ``ast``.
    """
    anyway = "import logging, sys, typing; typing.NamedTuple('Any', [('any', 'int')])"
    before = "before = set(sys.modules)"
    after = "print(*set(sys.modules) - before)"
    return set(run(folder, "-c", f"{anyway}; {before}; {program}; {after}").split())


@pytest.mark.parametrize("name", penstock.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """Each name can be imported, and says what it is for."""
    assert getattr(penstock, name).__doc__


def test_a_star_import_brings_every_name() -> None:
    """``from penstock import *`` gives the cold names, too."""
    names: dict[str, object] = {}

    exec("from penstock import *", names)  # noqa: S102  # only a module may write it

    assert set(penstock.__all__) <= set(names)


def test_dir_lists_every_name() -> None:
    """Completion shows what is not imported yet."""
    assert {*penstock.__all__, "__version__"} <= set(dir(penstock))
    assert dir(penstock) == sorted(dir(penstock))


def test_the_version_is_that_of_the_package() -> None:
    """``__version__`` is what was installed."""
    assert penstock.__version__ == importlib.metadata.version("penstock")


def test_an_unknown_name_is_an_attribute_error() -> None:
    """``hasattr`` and typing mistakes work as with any module."""
    with pytest.raises(
        AttributeError, match="module 'penstock' has no attribute 'entrypiont'"
    ):
        attrgetter("entrypiont")(penstock)
    assert not hasattr(penstock, "nothing")


def test_nothing_cold_is_imported(tmp_path: Path) -> None:
    """``import penstock`` loads no extra, and nothing that is slow to import."""
    modules = loaded(tmp_path, "import penstock")

    slow = {"dataclasses", "inspect", "ast", "json", "asyncio", "importlib.metadata"}
    extras = {"click", "rich", "opentelemetry", "structlog", "jedi", "django", "celery"}
    assert not modules & (slow | extras)
    assert "penstock._dag" not in modules


def test_declaring_and_running_import_nothing_cold(tmp_path: Path) -> None:
    """An application that only runs its flows never pays for drawing them."""
    program = (
        "import penstock as p; "
        "p.flow('a').entrypoint(name='b')(lambda: p.current_flow_id())()"
    )
    modules = loaded(tmp_path, program)

    assert not modules & {"dataclasses", "inspect", "difflib", "penstock._dag"}


@pytest.mark.parametrize("name", COLD)
def test_a_cold_name_is_imported_when_it_is_asked_for(
    tmp_path: Path, name: str
) -> None:
    """The first use of a rare name imports it, and the second finds it there."""
    program = (
        f"import penstock; assert {name!r} not in vars(penstock); "
        f"first = penstock.{name}; assert vars(penstock)[{name!r}] is first"
    )

    assert "penstock._types" in loaded(tmp_path, program)
