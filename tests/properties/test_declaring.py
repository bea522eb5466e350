"""Laws of declaring, for any flow."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    FlowDefinitionError,
    all_of,
    entrypoint,
    flow,
    forget_flow,
    start_flow,
    step,
)
from tests.support.call_styles import KINDS, finish, function
from tests.support.declarations import steps_of, the_flow, the_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = st.text(min_size=1, max_size=12).filter(str.strip)
"""Anything that is not blank, hostile names included."""

AFTER = st.lists(
    st.one_of(
        NAMES.map(lambda name: (name,)),
        st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    ),
    max_size=4,
)


def spelled(group: Sequence[str], *, join: bool) -> Any:
    """Return *group* as a user would write it."""
    return all_of(*group) if join or len(group) > 1 else group[0]


def blank() -> Callable[[], None]:
    """Return a function that no flow knows."""

    def work() -> None: ...

    return work


@given(name=NAMES, step_name=NAMES, owner=st.text(), tags=st.lists(st.text()))
def test_what_is_declared_is_what_is_registered(
    name: str, step_name: str, owner: str, tags: list[str]
) -> None:
    """Names, owners and tags are kept as they are, whatever they hold."""
    forget_flow()

    flow(name, owner=owner, tags=tags).step(name=step_name, tags=tags)(blank())

    assert (the_flow(name).owner, the_flow(name).tags) == (owner, tuple(tags))
    assert the_step(name, step_name).tags == tuple(tags)


@given(after=AFTER, joins=st.lists(st.booleans(), min_size=4, max_size=4))
def test_predecessors_are_kept_in_their_order(
    after: list[tuple[str, ...]], joins: list[bool]
) -> None:
    """Alternatives and joins come back as they were written."""
    forget_flow()
    written = [spelled(g, join=j) for g, j in zip(after, joins, strict=False)]

    flow("f").step(name="work", after=written)(blank())

    assert the_step("f", "work").after == tuple(after)


@given(st.sets(NAMES, max_size=6))
def test_a_set_is_declared_in_the_order_of_its_names(names: set[str]) -> None:
    """A set has no order of its own, and a diagram must have one."""
    forget_flow()

    flow("f").step(name="work", after=names)(blank())

    assert list(steps_of("f")["work"]) == sorted(names)


@given(st.lists(NAMES, unique=True, min_size=1, max_size=8), st.booleans())
def test_every_form_declares_the_same(names: list[str], bare: bool) -> None:  # noqa: FBT001  # drawn
    """A handle, stacked functions and a class declare the same flow."""
    forget_flow()
    handle = flow("handle")
    body: dict[str, Any] = {}
    for index, name in enumerate(names):
        after = None if bare else names[:index]
        handle.step(name=name, after=after)(blank())
        flow("stacked")(step(name=name, after=after)(blank()))
        body[f"method_{index}"] = step(name=name, after=after)(blank())
    flow("class")(type("Class", (), body))

    assert steps_of("handle") == steps_of("stacked") == steps_of("class")


@given(st.lists(NAMES, unique=True, min_size=1, max_size=6), st.data())
def test_a_clash_registers_nothing(names: list[str], data: st.DataObject) -> None:
    """Where one name of a class is taken, the flow stays what it was."""
    forget_flow()
    taken = data.draw(st.sampled_from(names))
    flow("f").step(name=taken)(blank())
    before = the_flow("f")
    body = {f"m{i}": step(name=name)(lambda: None) for i, name in enumerate(names)}

    with pytest.raises(FlowDefinitionError):
        flow("f", owner="nobody")(type("Class", (), body))

    assert the_flow("f") == before


@given(
    st.lists(NAMES, unique=True, max_size=6), st.lists(NAMES, unique=True, max_size=6)
)
def test_a_class_defined_again_leaves_nothing_behind(
    first: list[str], second: list[str]
) -> None:
    """After a reload the flow has the steps of the last definition."""
    forget_flow()
    for names in (first, second):
        body: dict[str, Any] = {"start": entrypoint(name="start!")(blank())}
        for index, name in enumerate(names):
            body[f"method_{index}"] = step(name=f"{name}_")(blank())
        flow("f")(type("Class", (), body))

    assert list(steps_of("f")) == ["start!", *(f"{name}_" for name in second)]


@given(
    kind=st.sampled_from(KINDS),
    marks=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5),
)
def test_a_function_stays_itself_in_any_number_of_flows(
    kind: str, marks: list[tuple[bool, bool]]
) -> None:
    """Kind, signature and plain function survive every stack of markers."""
    forget_flow()
    plain = function(kind, lambda: "done")
    func: Any = plain
    for index, (is_entrypoint, by_handle) in enumerate(marks):
        handle = flow(f"flow_{index}")
        if by_handle:
            func = handle.entrypoint(func) if is_entrypoint else handle.step(func)
        else:
            func = handle(entrypoint(func) if is_entrypoint else step(func))

    assert inspect.unwrap(func) is plain
    assert inspect.signature(func) == inspect.signature(plain)
    assert inspect.iscoroutinefunction(func) == inspect.iscoroutinefunction(plain)
    assert inspect.isgeneratorfunction(func) == inspect.isgeneratorfunction(plain)
    assert inspect.isasyncgenfunction(func) == inspect.isasyncgenfunction(plain)
    assert all(len(steps_of(f"flow_{index}")) == 1 for index in range(len(marks)))
    with start_flow():
        assert asyncio.run(finish(func)) == "done"
