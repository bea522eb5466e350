"""Fixtures for tests of runs.

White-box: no public function stops watching steps or forgets counts.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock._runtime.state import _said
from penstock.conformance.judge import process_judge
from tests.support.call_styles import MODES, Traces
from tests.support.diagram_parsers import Mermaid
from tests.support.projects import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=MODES)
def mode(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[str]:
    """Run the test once for each way to record calls."""
    mode: str = request.param
    if mode == "logged":
        caplog.set_level(logging.INFO, "penstock")
    elif mode == "watched":
        penstock.install_log_fields()
    elif mode == "traced":
        penstock.configure(Traces())
    yield mode
    penstock.uninstall_log_fields()


class _Lines(logging.Handler):
    """Keeps records as they are when they arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def warnings() -> Iterator[list[logging.LogRecord]]:
    """Listen to the logger ``penstock``; yield the list of its records."""
    handler = _Lines()
    logger = logging.getLogger("penstock")
    logger.addHandler(handler)
    _said.clear()  # what another test has made penstock say once
    yield handler.records
    logger.removeHandler(handler)


@pytest.fixture
def lines(
    caplog: pytest.LogCaptureFixture, warnings: list[logging.LogRecord]
) -> list[logging.LogRecord]:
    """Listen at INFO, the level of the lines for each step."""
    caplog.set_level(logging.INFO, "penstock")
    return warnings


@pytest.fixture(scope="session")
def mermaid() -> Iterator[Mermaid]:
    """Start Mermaid once: it takes half a second."""
    parser = Mermaid()
    yield parser
    parser.close()


@pytest.fixture
def clean_counts() -> Iterator[None]:
    """Forget the counts of other tests."""
    process_judge.clear()
    yield
    process_judge.clear()


@pytest.fixture
def recorded(clean_counts: None) -> None:  # it is to come first
    """Record how runs follow the declared order."""
    penstock.configure(conformance="record")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return an empty project."""
    return Project(tmp_path)
