from __future__ import annotations

import pickle
from typing import Any

import pytest

from penstock import (
    FlowDefinitionError,
    PenstockError,
    UnknownFlowError,
    flow,
    generate_dag,
)


def test_an_unknown_flow_survives_a_process_pool() -> None:
    """The error comes back from another process with its message and its flow."""
    with pytest.raises(UnknownFlowError) as caught:
        generate_dag("ordesr")

    back = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # our own bytes

    assert str(back) == str(caught.value)
    assert back.flow == "ordesr"
    assert isinstance(back, KeyError)


@pytest.mark.parametrize(
    ("given", "meant"), [("rais", "raise"), ("warm", "warn"), ("runs", "run")]
)
def test_a_misspelled_name_gets_a_suggestion(given: str, meant: str) -> None:
    """The nearest of the known names is suggested."""
    with pytest.raises(FlowDefinitionError, match=rf"Did you mean '{meant}'\?$"):
        flow("orders", outside=given)


@pytest.mark.parametrize("given", ["elsewhere", 3, b"raise", ("raise",)])
def test_an_unlike_name_gets_no_suggestion(given: Any) -> None:
    """Neither does a value that is not a string."""
    with pytest.raises(FlowDefinitionError) as caught:
        flow("orders", outside=given)

    assert "Did you mean" not in str(caught.value)


def test_a_message_shows_no_control_character() -> None:
    """A name in it cannot colour a terminal, or begin a line of a CI job's log."""
    with pytest.raises(UnknownFlowError) as caught:
        generate_dag("orders")
    name = "\x1b[31morders\n::error::\u202e"
    error = type(caught.value)(f"there is no flow {name}", flow=name)

    assert str(error) == r"there is no flow \x1b[31morders\n::error::\u202e"
    assert error.flow == name


def test_the_lines_of_a_message_are_its_arguments() -> None:
    """Only penstock itself begins a line."""
    assert str(PenstockError("two faults:", "a\tb", 3)) == "two faults:\na\\tb\n3"
    assert str(PenstockError()) == ""
