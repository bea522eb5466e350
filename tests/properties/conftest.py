"""Fixtures for laws about drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.diagram_parsers import Mermaid

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def mermaid() -> Iterator[Mermaid]:
    """Start Mermaid once: it takes half a second."""
    parser = Mermaid()
    yield parser
    parser.close()
