"""What every test needs: a clean penstock, and Hypothesis profiles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import penstock
from penstock._registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

# Deadlines measure the machine, not the code: two workers on two cores miss them.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(autouse=True)
def clean_penstock() -> Iterator[None]:
    """Forget flows and settings, so that no test sees another's."""
    penstock.reset()
    registry.clear()
    yield
    penstock.reset()
    registry.clear()
