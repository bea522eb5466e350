"""``PENSTOCK_DISABLED=1``: flows are declared, and nothing else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.declarations import run, write

if TYPE_CHECKING:
    from pathlib import Path

SETUP = """
import asyncio, inspect
from functools import partial
import penstock
from penstock import *

orders = flow("orders")

def declared(name):
    (info,) = [info for info in declared_flows() if info.name == name]
    return {step.name: step.predecessors for step in info.steps}
"""

PROGRAMS = {
    "functions are handed back": """
        def receive(): return "received"
        async def charge(): return "charged"
        def pack(): yield 1
        async def track(): yield 1

        functions = [receive, charge, pack, track]
        assert [entrypoint(f) for f in functions] == functions
        assert [orders(f) for f in functions] == functions
        assert list(declared("orders")) == ["receive", "charge", "pack", "track"]
        assert receive() == "received"
        assert not hasattr(receive, "__wrapped__")
    """,
    "what stands above a proxy is registered": """
        class Proxy:
            __slots__ = "__wrapped__",
            def __init__(self, func): object.__setattr__(self, "__wrapped__", func)
            def __getattr__(self, name): return getattr(self.__wrapped__, name)
            def __setattr__(self, name, value): setattr(self.__wrapped__, name, value)
            def __call__(self, *args): return self.__wrapped__(*args)
            def __get__(self, instance, owner): return partial(self, instance)

        class Frozen:
            def __setattr__(self, name, value): raise TypeError(name)
            def __call__(self): return "frozen"

        @orders.step(after="receive")
        @Proxy
        def charge(): return "charged"

        @orders.entrypoint
        @Proxy
        def receive(): return charge()

        @orders
        class Orders:
            @step(after="charge")
            @Proxy
            def ship(self): return "shipped"

        assert orders.step(name="frozen")(Frozen())() == "frozen"
        assert receive() == "charged" and Orders().ship() == "shipped"
        assert list(declared("orders")) == ["charge", "receive", "ship", "frozen"]
    """,
    "an override is the step": """
        class Base:
            @entrypoint
            def receive(self): return self.charge()
            @step(after="receive")
            def charge(self): ...
            @staticmethod
            @step(after="receive")
            def ship(): ...

        class Mixin:
            def charge(self): return "mixin"

        @orders
        class Orders(Mixin, Base):
            @staticmethod
            def ship(): return "shipped"

        class Fast(Orders):
            def charge(self): return "fast " + super().charge()

        assert Orders().receive() == "mixin" and Fast().receive() == "fast mixin"
        assert Orders.ship() == Fast().ship() == "shipped"
        assert declared("orders")["charge"] == ("receive",)
        assert not hasattr(Mixin.charge, "__penstock__")
    """,
    "a handle registers": """
        def receive(): ...
        def charge(): ...
        assert orders.entrypoint(receive) is receive
        assert orders.step(after=receive, tags="io")(charge) is charge
        assert declared("orders") == {"receive": (), "charge": ("receive",)}
        assert charge() is None
    """,
    "a class keeps its methods": """
        @orders
        class Orders:
            @entrypoint
            def receive(self): return self.charge()
            @classmethod
            @step(after=receive)
            def charge(cls): return cls.ship()
            @step(after=charge)
            @staticmethod
            def ship(): return "shipped"

        class Special(Orders):
            @entrypoint
            def receive(self): return super().receive()
        flow("special")(Special)

        assert Orders().receive() == Special().receive() == "shipped"
        assert declared("orders") == declared("special")
        assert not hasattr(Orders.receive, "__wrapped__")
    """,
    "steps run outside a flow": """
        @orders.step
        def charge(): return current_flow_id()
        assert charge() is None
    """,
    "what no flow took runs": """
        @step
        def charge(): return 3
        assert charge() == 3
    """,
    "one function joins many flows": """
        @flow("second")
        @step(name="two", after="x")
        @flow("first")
        @entrypoint
        def work(): ...
        assert declared("first") == {"work": ()}
        assert declared("second") == {"two": ("x",)}
        assert not hasattr(work, "__wrapped__")
    """,
    "partials and objects are handed back": """
        class Charger:
            def __call__(self): return 3
        class Slotted:
            __slots__ = ()
            def __call__(self): return 4
        charger, part = Charger(), partial(sum, [1, 2])
        assert orders.step(name="a")(charger) is charger
        assert orders.step(name="b")(part) is part
        assert charger() == part() == 3
        assert orders.step(name="c")(Slotted())() == 4
        assert orders.entrypoint(sum)([1, 2]) == 3
        assert current_flow_id() is None
        assert list(declared("orders")) == ["a", "b", "c", "sum"]
    """,
    "readers give none or their default": """
        assert current_flow_id() is None
        assert get_flow_context() is None
        assert get_flow_context_value("user") is None
        assert get_flow_context_value("user", 3) == 3
    """,
    "setters do nothing": """
        set_flow_context_value("user", "alice")
        with start_flow("order-17", user="alice"):
            set_flow_context_value("user", "alice")
            assert current_flow_id() is None
            assert get_flow_context_value("user", 3) == 3
    """,
    "diagrams work": """
        @orders.entrypoint
        def receive(): ...
        @orders.step(after=receive)
        def charge(): ...
        drawn = generate_dag("orders").splitlines()
        assert drawn == ["graph TD", "    receive --> charge"]
    """,
    "mistakes are reported": """
        def refused(declare):
            try:
                declare()
            except FlowDefinitionError:
                return True
        def work(): ...
        orders.step(work)
        assert refused(lambda: flow(""))
        assert refused(lambda: step(after=3))
        assert refused(lambda: step(name="x")(Exception))
        assert refused(lambda: orders(lambda: None))
        assert refused(lambda: orders.step(name="work")(lambda: None))
        assert refused(lambda: step(step(lambda: None)))
        @step
        def twice(): ...
        assert refused(lambda: step(twice))
    """,
    "nothing changes on error": """
        def taken(): ...
        def work(): ...
        orders.step(taken)
        try:
            orders.step(name="taken")(work)
        except FlowDefinitionError:
            orders.step(name="free")(work)
        assert list(declared("orders")) == ["taken", "free"]
    """,
}


def dedented(program: str) -> str:
    """Return *program* as it would stand in a file."""
    lines = program.strip("\n").splitlines()
    return "\n".join(line[8:] for line in lines)


@pytest.mark.parametrize("about", PROGRAMS)
def test_disabled(tmp_path: Path, about: str) -> None:
    """Declared flows can be seen, and calls are those of the plain functions."""
    (tmp_path / "program.py").write_text(
        f"{SETUP}\n{dedented(PROGRAMS[about])}\nprint('done')\n", encoding="utf-8"
    )

    assert run(tmp_path, "program.py", PENSTOCK_DISABLED="1") == "done\n"


@pytest.mark.parametrize("value", ["1", "true", "YES", "on", "0", "", "false"])
def test_the_variable_is_read_as_people_write_it(tmp_path: Path, value: str) -> None:
    """Only what means yes switches penstock off."""
    program = """
        from penstock import current_flow_id, entrypoint, flow

        @flow("orders")
        @entrypoint
        def receive():
            return current_flow_id()

        print(receive() is None)
    """
    write(tmp_path, {"program.py": program})

    said = run(tmp_path, "program.py", PENSTOCK_DISABLED=value)

    assert said == f"{value.lower() in {'1', 'true', 'yes', 'on'}}\n"
