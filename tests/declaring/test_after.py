"""What ``after=`` takes, and what it comes down to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from penstock import AllOf, FlowDefinitionError, all_of, entrypoint, flow, step
from tests.support.declarations import steps_of, the_step

billing = flow("billing")


def plain() -> None:
    """Do nothing: a function that no flow knows."""


def after(value: Any) -> tuple[tuple[str, ...], ...]:
    """Return what ``after=value`` declares, in flow ``orders``."""
    flow("orders")(step(name="work", after=value)(plain))
    return the_step("orders", "work").after


ACCEPTED: dict[str, tuple[Any, tuple[tuple[str, ...], ...]]] = {
    "nothing": (None, ()),
    "an empty list": ([], ()),
    "a name": ("charge", (("charge",),)),
    "a name to come": ("not yet declared", (("not yet declared",),)),
    "another flow's": ("billing:invoice", (("billing:invoice",),)),
    "another service's": ("shop/orders:publish", (("shop/orders:publish",),)),
    "a function": (plain, (("plain",),)),
    "a list": (["a", plain], (("a",), ("plain",))),
    "a tuple": (("b", "a"), (("b",), ("a",))),
    "a set": ({"b", "a", plain}, (("a",), ("b",), ("plain",))),
    "a frozen set": (frozenset({"a"}), (("a",),)),
    "a join": (all_of("b", "a"), (("b", "a"),)),
    "a join with a function": (all_of("a", plain), (("a", "plain"),)),
    "a list with a join": (["c", all_of("a", "b")], (("c",), ("a", "b"))),
    "a set with a join": ({all_of("a", "b"), "c"}, (("a", "b"), ("c",))),
    "a builtin": (len, (("len",),)),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_after_takes(case: str) -> None:
    """A name, a function, a join, or a list, tuple or set of them."""
    value, expected = ACCEPTED[case]

    assert after(value) == expected


def test_a_join_needs_all_a_list_any() -> None:
    """``all_of`` keeps its names together; a list gives alternatives."""
    assert after(all_of("charge", "reserve")) == (("charge", "reserve"),)
    assert after(["charge", "reserve"]) == (("charge",), ("reserve",))
    assert the_step("orders", "work").predecessors == ("charge", "reserve")


def test_a_join_shows_itself() -> None:
    """A join prints the call that makes it."""
    assert repr(all_of("charge", plain)) == "all_of('charge', 'plain')"
    assert isinstance(all_of("charge"), AllOf)


def test_a_function_of_another_flow_is_named_with_it() -> None:
    """``after=`` a function of another flow is an edge between the flows."""

    @billing.entrypoint(name="bill")
    def invoice() -> None: ...

    assert after(invoice) == (("billing:bill",),)


def test_a_function_of_many_flows_is_taken_in_this_one() -> None:
    """A function's step in this flow wins over its steps in other flows."""

    @flow("orders")
    @step(name="here")
    @flow("billing")
    @entrypoint(name="there")
    def invoice() -> None: ...

    assert after(invoice) == (("here",),)
    flow("returns")(step(name="work", after=invoice)(plain))
    assert the_step("returns", "work").predecessors == ("billing:there",)


def test_a_function_may_be_taken_later() -> None:
    """A marker without a flow yet goes by its own name."""

    @step(name="later")
    def charge() -> None: ...

    assert after(charge) == (("later",),)


def test_methods_of_one_class_name_each_other() -> None:
    """In a class body ``after=`` takes methods of every kind."""

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> None: ...

        @staticmethod
        @step(name="check", after=receive)
        def validate() -> None: ...

        @classmethod
        @step(after=validate)
        def charge(cls) -> None: ...

        @step(after=[charge, validate])
        def ship(self) -> None: ...

    assert steps_of("orders") == {
        "receive": (),
        "check": ("receive",),
        "charge": ("check",),
        "ship": ("charge", "check"),
    }


def test_a_method_of_a_declared_class_can_be_named() -> None:
    """A step outside the class says ``after=Orders.receive``, or a bound one."""

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> None: ...

    assert after(Orders.receive) == (("receive",),)
    assert after(Orders().receive) == (("receive",),)


def test_an_entrypoint_may_come_after_another_flow() -> None:
    """``after=`` on an entrypoint declares what leads into the flow."""

    @flow("orders")
    @entrypoint(after="shop/web:checkout")
    def receive() -> None: ...

    assert steps_of("orders") == {"receive": ("shop/web:checkout",)}


class Unnamed:
    """A callable object, which has no name."""

    def __call__(self) -> None: ...

    def __repr__(self) -> str:
        return "<unnamed>"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "an empty name"),
        ("  ", "an empty name"),
        (3, r"3 \(int\)"),
        (b"charge", r"b'charge' \(bytes\)"),
        (3.5, r"3\.5 \(float\)"),
        (True, r"True \(bool\)"),
        ({"a": "b"}, r"\(dict\)"),
        (iter("ab"), r"iterator"),
        (object(), r"\(object\)"),
        (SimpleNamespace(), r"namespace\(\) \(SimpleNamespace\)"),
        (Unnamed, r"Unnamed.* \(type\)"),
        (Unnamed(), "<unnamed>, which has no name; give the step's name instead"),
        (lambda: None, "<lambda>.*, which has no name"),
        (billing, r"flow\('billing'\), which has no name"),
        (["charge", None], r"None \(NoneType\)"),
        (["charge", ""], "an empty name"),
        (["charge", ["reserve"]], r"\['reserve'\] \(list\)"),
        (("charge", 3), r"3 \(int\)"),
        ({"charge", 3}, r"3 \(int\)"),
        (classmethod(lambda _: None), r"\(classmethod\)"),
        (property(lambda _: None), r"\(property\)"),
    ],
)
@pytest.mark.parametrize("mark", [entrypoint, step])
def test_a_bad_after_is_refused(mark: Any, value: object, says: str) -> None:
    """The message names the decorator, the value, the line and the fix."""
    with pytest.raises(FlowDefinitionError, match=says) as caught:
        mark(name="work", after=value)

    message = str(caught.value)
    assert "after= of" in message
    assert "work" in message
    assert f"{__file__}:" in message
    assert "It takes a step's name" in message


def test_a_bad_after_without_a_name_is_refused() -> None:
    """Without ``name=`` the message names the decorator."""
    with pytest.raises(FlowDefinitionError, match=r"after= of @?step holds 3"):
        step(after=3)  # type: ignore[call-overload]  # the point


@pytest.mark.parametrize(
    "parts", [(), ("",), (3,), (None,), (["charge"],), ("charge", all_of("a"))]
)
def test_a_bad_join_is_refused(parts: tuple[Any, ...]) -> None:
    """``all_of`` takes names and functions, and at least one."""
    with pytest.raises(FlowDefinitionError, match=rf"all_of\(.*{__file__}:\d+"):
        all_of(*parts)


def test_a_join_shows_the_names_that_it_joins() -> None:
    """The call that makes it, with steps by their names."""

    @step(name="charge")
    def work() -> None: ...

    assert repr(all_of(work, "reserve")) == "all_of('charge', 'reserve')"


def test_a_view_made_of_a_class_has_the_name_of_the_class() -> None:
    """Django names each such function 'view', with the class as an attribute."""

    def view() -> None: ...

    assert after(view) == (("view",),)
    view.view_class = SimpleNamespace(__name__="receive")  # type: ignore[attr-defined]  # as as_view() does
    assert repr(all_of(view)) == "all_of('receive')"
