from __future__ import annotations

import asyncio
import threading
from contextvars import copy_context

import pytest

from penstock import (
    ConfigurationError,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    get_flow_context_value,
    outside_flow,
    start_flow,
)
from tests.support.call_styles import unique


def test_start_flow_makes_an_id_where_none_is_given() -> None:
    """The context is carried, and gone after the block."""
    with start_flow() as context:
        assert current_flow_id() == context.correlation_id
        assert len(context.correlation_id) == 32
        assert context.is_carried
        assert (context.parent_id, context.flow) == (None, "")
        assert context.root_id == context.correlation_id

    assert current_flow_id() is None


def test_start_flow_takes_an_id_and_metadata() -> None:
    """The ID may be named or not; all else is metadata."""
    for scope in (
        start_flow("order-17", source="cron"),
        start_flow(correlation_id="order-17", source="cron"),
    ):
        with scope as context:
            assert current_flow_id() == "order-17"
            assert get_flow_context_value("source") == "cron"
            assert dict(context.metadata) == {"source": "cron"}


def test_start_flow_in_a_flow_knows_its_parent() -> None:
    """A context opened by hand inside another is its child."""
    with start_flow("a"), start_flow("b"), start_flow("c") as context:
        assert (context.parent_id, context.root_id) == ("b", "a")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("", "empty"),
        ("x" * 129, "129 characters"),
        ("a b", "form"),
        ("-a", "form"),
        ("a\r\nb", "unsafe"),
        ("a\n", "unsafe"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "unsafe"),
        (17, "int, not str"),
    ],
)
def test_start_flow_refuses_an_id_that_could_not_travel(bad: str, why: str) -> None:
    """It says why, without the value, and enters nothing."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        start_flow(bad)

    assert not bad or str(bad) not in str(caught.value)
    assert current_flow_id() is None


def test_start_flow_uses_the_configured_generator_and_validator() -> None:
    """``new_id`` makes its IDs; ``is_valid_id`` decides on the given ones."""
    configure(new_id=lambda: "made", is_valid_id=lambda text: text != "refused")

    with start_flow() as made, start_flow("{any}") as given:
        assert (made.correlation_id, given.correlation_id) == ("made", "{any}")
    with pytest.raises(ConfigurationError, match="form"):
        start_flow("refused")


def test_outside_flow_hides_the_flow_for_a_block() -> None:
    """Inside it there is no flow; after it there is again."""
    with start_flow("order-17"):
        with outside_flow():
            assert get_flow_context() is None
        assert current_flow_id() == "order-17"


def test_a_task_started_outside_the_flow_outlives_it_without_its_id() -> None:
    """That is what ``outside_flow`` is for."""

    async def background() -> str | None:
        await asyncio.sleep(0)
        return current_flow_id()

    async def main() -> list[str | None]:
        with start_flow("request"):
            with outside_flow():
                outside = asyncio.create_task(background())
            inside = asyncio.create_task(background())
        return [await outside, await inside]

    assert asyncio.run(main()) == [None, "request"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_is_left_all_the_same(error: type[BaseException]) -> None:
    """The exception passes, and what was there is there again."""
    with start_flow("outer"):
        with pytest.raises(error), start_flow("inner"):
            raise error
        with pytest.raises(error), outside_flow():
            raise error
        assert current_flow_id() == "outer"


def test_one_scope_can_be_entered_again_and_again() -> None:
    """The same object, nested in itself and used twice, restores each time."""
    again, outside = start_flow("again"), outside_flow()

    for _ in range(2):
        with again:
            with outside, again:
                assert current_flow_id() == "again"
            assert current_flow_id() == "again"
        assert current_flow_id() is None


def test_leaving_in_another_context_changes_nothing_there() -> None:
    """A block begun in one thread and ended in another leaves the latter alone."""
    scope = start_flow("begun-here")
    copy_context().run(scope.__enter__)
    seen = []

    def leave() -> None:
        with start_flow("ended-here"):
            scope.__exit__(None, None, None)
            seen.append(current_flow_id())

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()

    assert seen == ["ended-here"]


def test_leaving_in_the_wrong_order_takes_nothing_from_the_inner() -> None:
    """A scope that is left while another one is open does not end that one."""
    outer, inner = start_flow("outer"), start_flow("inner")

    def leave_outer_first() -> str | None:
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        return current_flow_id()

    assert copy_context().run(leave_outer_first) == "inner"


def test_an_entrypoint_gives_the_block_back() -> None:
    """After a run in the block the block's own context is the current one."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> object:
        return get_flow_context()

    with start_flow("order-17") as context:
        assert receive() is not context
        assert get_flow_context() is context
