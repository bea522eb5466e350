"""Names get a "did you mean"."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import FlowDefinitionError, flow


@pytest.mark.parametrize(
    ("given", "meant"), [("rais", "raise"), ("warm", "warn"), ("runs", "run")]
)
def test_a_near_miss_is_answered_with_what_was_meant(given: str, meant: str) -> None:
    """The nearest of the known names is suggested."""
    with pytest.raises(FlowDefinitionError, match=rf"Did you mean '{meant}'\?$"):
        flow("orders", outside=given)


@pytest.mark.parametrize("given", ["elsewhere", 3, b"raise", ("raise",)])
def test_what_is_near_nothing_gets_no_suggestion(given: Any) -> None:
    """Neither does what is no text."""
    with pytest.raises(FlowDefinitionError) as caught:
        flow("orders", outside=given)

    assert "Did you mean" not in str(caught.value)
