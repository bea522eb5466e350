"""Fixtures for tests of what runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import penstock
from tests.running import MODES, Traces

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=MODES)
def mode(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[str]:
    """Run the test once for each way in which calls can be listened to."""
    mode: str = request.param
    if mode == "logged":
        caplog.set_level(logging.INFO, "penstock")
    elif mode == "watched":
        penstock.install_log_fields()
    elif mode == "traced":
        penstock.configure(Traces())
    yield mode
    penstock.uninstall_log_fields()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Hear the ``penstock`` logger at INFO; give the list that fills with records."""
    caplog.set_level(logging.INFO, "penstock")
    return caplog.records
