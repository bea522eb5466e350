"""Edge coverage and strict order in pytest, only if an option turns them on.

The top of the module imports nothing but pytest, because every test run of a project
that has penstock installed loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ._settings import OPTIONS, VALUES, ini_name, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock.testing import Run

__all__: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and settings of the same names."""
    group = parser.getgroup("penstock", "the declared order of flows")
    for name, text in OPTIONS.items():
        if name in VALUES:
            group.addoption(f"--penstock-{name}", metavar=VALUES[name], help=text)
        else:
            group.addoption(
                f"--penstock-{name}", action="store_true", default=None, help=text
            )
        parser.addini(ini_name(name), f"{text}; see --penstock-{name}")


def pytest_configure(config: pytest.Config) -> None:
    """Start recording if any option requires it."""
    settings = settings_of(config)
    if settings.is_asked:
        from ._coverage import Coverage  # noqa: PLC0415  # see the top

        coverage = Coverage(settings, is_worker=hasattr(config, "workerinput"))
        config.pluginmanager.register(coverage, "penstock-coverage")


@pytest.fixture
def penstock_registry() -> Iterator[None]:
    """Isolate the flows of this test from all others; they earn no coverage."""
    from penstock.testing import isolated_registry  # noqa: PLC0415  # see the top

    with isolated_registry():
        yield


@pytest.fixture
def flow_runs() -> Iterator[list[Run]]:
    """Yield the runs of this test so far, each with its ``path``."""
    from penstock.testing import watch_runs  # noqa: PLC0415  # see the top

    with watch_runs() as runs:
        yield runs


@pytest.fixture
def in_flow() -> Callable[..., Any]:
    """Return ``penstock.testing.in_flow``, to run one step alone."""
    from penstock.testing import in_flow  # noqa: PLC0415  # see the top

    return in_flow
