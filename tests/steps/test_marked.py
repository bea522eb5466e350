"""White-box tests of what integrations say about a marked function."""

from __future__ import annotations

from penstock import entrypoint, flow
from penstock._steps.marked import find_marked
from tests.support.declarations import the_flow


def test_an_integration_says_that_messages_bring_the_calls() -> None:
    """A message brings each call of a task, so edges into it are drawn dashed."""

    @entrypoint
    def receive() -> None: ...

    @flow("orders")
    @entrypoint
    def look() -> None: ...

    mark = find_marked(receive)
    assert mark is not None
    mark.set_crossing()
    flow("orders")(receive)

    crossing = {step.name: step.crosses for step in the_flow("orders").steps}
    assert crossing == {"receive": True, "look": False}


def test_a_function_that_a_message_brings() -> None:
    """Its steps say so, also those that have been described already."""
    orders = flow("orders")

    @orders.step(after="receive")
    def charge() -> None: ...

    marked = find_marked(charge)
    assert marked is not None
    (declared,) = marked.steps
    assert not declared.info.crosses
    marked.set_crossing()
    assert declared.info.crosses
