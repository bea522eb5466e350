"""The registry: what is declared again, what clashes, and threads."""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from pathlib import Path
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    FlowDefinitionError,
    NotInFlowError,
    configure,
    entrypoint,
    flow,
    start_flow,
    step,
)
from penstock._registry import registry
from tests.support.call_styles import Traces, run_python
from tests.support.declarations import run, steps_of, the_flow, the_step, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

BEFORE = """
    from penstock import entrypoint, flow, step

    @flow("orders", owner="payments")
    class Orders:
        @entrypoint
        def receive(self): return "before"

        @step(after="receive")
        def charge(self): ...

    @flow("orders")
    @step(after="charge")
    def ship(): ...
"""
AFTER = """
    from penstock import entrypoint, flow, step

    # A line more.
    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self): return "after"

    @flow("orders")
    @step(after="receive")
    def ship(): ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a folder whose modules can be imported, and forget them after."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def again(module: ModuleType, text: str) -> None:
    """Reload *module* from a new *text*."""
    assert module.__file__
    path = Path(module.__file__)
    write(path.parent, {path.name: text})
    importlib.reload(module)


def test_a_reload_replaces_what_it_declares_again(folder: Path) -> None:
    """A class loses the steps that it no longer has; functions are replaced."""
    write(folder, {"shop.py": BEFORE})
    shop = importlib.import_module("shop")

    again(shop, AFTER)

    assert steps_of("orders") == {"ship": ("receive",), "receive": ()}
    assert shop.Orders().receive() == "after"
    assert the_step("orders", "receive").line == 7


def test_a_reload_may_rename_a_step(folder: Path) -> None:
    """A method that changes its name leaves none behind."""
    write(folder, {"shop.py": BEFORE})
    shop = importlib.import_module("shop")

    again(shop, BEFORE.replace("charge", "take_money"))

    assert set(steps_of("orders")) == {"receive", "take_money", "ship"}


def test_a_reload_may_swap_two_names(folder: Path) -> None:
    """A class is one declaration: its names are free for its own methods."""
    swapped = """
        from penstock import entrypoint, flow, step

        @flow("orders")
        class Orders:
            @entrypoint(name="{}")
            def one(self): ...

            @step(name="{}")
            def two(self): ...
    """
    write(folder, {"shop.py": swapped.format("a", "b")})
    shop = importlib.import_module("shop")

    again(shop, swapped.format("b", "a"))

    assert the_step("orders", "a").qualname == "Orders.two"
    assert the_step("orders", "b").is_entrypoint


def test_a_reload_that_fails_changes_nothing(folder: Path) -> None:
    """A class that clashes leaves what it declared before."""
    write(folder, {"shop.py": BEFORE})
    shop = importlib.import_module("shop")
    before = the_flow("orders")

    with pytest.raises(FlowDefinitionError, match="two different functions"):
        again(shop, BEFORE.replace('after="receive"', 'name="receive"'))

    assert the_flow("orders") == before


STEPS = """
    from penstock import flow
    orders = flow("orders")
    returns = flow("returns", owner="support")

    @orders.entrypoint
    def receive(): ...

    @returns.entrypoint
    def take_back(): ...

    @orders.step(after="receive")
    def {}(): ...
"""


def test_a_reload_forgets_functions_that_are_gone(folder: Path) -> None:
    """A function that changes its name, or its flow, leaves none behind."""
    write(folder, {"shop.py": STEPS.format("charge")})
    shop = importlib.import_module("shop")

    @flow("orders")
    @step(after="charge")
    def ship() -> None: ...

    again(shop, STEPS.format("charge_card").replace("@returns.", "@orders."))

    assert set(steps_of("orders")) == {"receive", "take_back", "charge_card", "ship"}
    assert [one.name for one in penstock.declared_flows()] == ["orders"]
    with pytest.raises(FlowDefinitionError, match="Did you mean 'charge_card'"):
        penstock.generate_dag("orders")


def test_a_reload_keeps_the_owner_of_each_flow(folder: Path) -> None:
    """What another module says of a flow outlasts the reload of its steps."""
    flow("returns", description="Goods come back.")(entrypoint(name="other")(print))
    write(folder, {"shop.py": STEPS.format("charge")})
    shop = importlib.import_module("shop")

    again(shop, STEPS.format("charge"))

    assert the_flow("returns").description == "Goods come back."
    assert set(steps_of("returns")) == {"other", "take_back"}


def test_a_decorator_of_another_module_is_no_reload(folder: Path) -> None:
    """A function that ``functools.wraps`` names lives where it says."""
    files = {
        "traced.py": """
            import functools
            def traced(func):
                @functools.wraps(func)
                def call(*args): return func(*args)
                return call
        """,
        "shop.py": """
            from penstock import flow
            from traced import traced
            orders = flow("orders")

            @orders.entrypoint
            def receive(): ...

            @orders.step(after="receive")
            @traced
            def charge(): ...
        """,
    }
    write(folder, files)

    importlib.import_module("shop")

    assert list(steps_of("orders")) == ["receive", "charge"]


def test_forget_flow() -> None:
    """One flow is forgotten, or all of them; a name that is unknown is no error."""
    for name in ("orders", "returns"):
        flow(name)(entrypoint(name="receive")(penstock.current_flow_id))

    penstock.forget_flow("orders")
    penstock.forget_flow("orders")
    assert [one.name for one in penstock.declared_flows()] == ["returns"]

    penstock.forget_flow()
    assert penstock.declared_flows() == ()


def test_a_forgotten_flow_runs_and_can_be_declared_again(mode: str) -> None:
    """Only what is drawn and checked is forgotten."""

    @flow("orders")
    @entrypoint
    def receive() -> str | None:
        return penstock.current_flow_id()

    penstock.forget_flow("orders")
    assert receive()

    flow("orders")(receive)
    assert list(steps_of("orders")) == ["receive"]
    assert receive()


def test_a_reload_keeps_what_is_said_about_the_flow(folder: Path) -> None:
    """What a later declaration leaves out stays."""
    write(folder, {"shop.py": BEFORE})
    shop = importlib.import_module("shop")

    again(shop, AFTER)

    assert the_flow("orders").owner == "payments"


APP = """
    import sys
    from penstock import declared_flows, entrypoint, flow, step

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self): ...

        @step(after="receive")
        def charge(self): ...

    @flow("orders")
    @step(after="charge")
    def ship(): ...

    if __name__ == "__main__":
        import app
        assert app is not sys.modules["__main__"]
        print(*(s.name for flow in declared_flows() for s in flow.steps))
"""


@pytest.mark.parametrize("arguments", [("-m", "app"), ("app.py",)], ids=["-m", "file"])
def test_a_program_that_imports_itself_is_one(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """``python -m app`` plus ``import app`` is not two functions under one name."""
    write(tmp_path, {"app.py": APP})

    assert sorted(run(tmp_path, *arguments).split()) == ["charge", "receive", "ship"]


def test_the_same_function_defined_again_replaces_itself() -> None:
    """A notebook cell may run twice."""

    def declare(after: str) -> None:
        @flow("orders")
        @step(after=after)
        def charge() -> None: ...

    declare("receive")
    declare("validate")

    assert steps_of("orders") == {"charge": ("validate",)}


def test_two_functions_under_one_name_are_refused() -> None:
    """The message names the flow, the step, and both places."""

    @flow("orders")
    @step
    def charge() -> None: ...

    def other() -> None: ...

    with pytest.raises(
        FlowDefinitionError,
        match=r"two different functions are step 'charge' of flow 'orders': "
        rf".*\.charge \({__file__}:\d+\) and .*\.other \({__file__}:\d+\)\. "
        r"Give one of them another name with name=",
    ):
        flow("orders")(step(name="charge")(other))

    assert the_step("orders", "charge").qualname.endswith(".charge")


def test_one_name_in_two_flows_is_no_clash() -> None:
    """Names belong to their flow."""
    flow("orders").step(name="work")(lambda: 1)

    def work() -> None: ...

    flow("billing").step(work)

    assert steps_of("orders") == steps_of("billing") == {"work": ()}


RETRIED = """
    from penstock import flow, step
    from retry import retried

    @flow("orders")
    @step
    @retried
    def charge(): ...
"""


def test_a_shared_decorator_makes_two_functions_no_one(folder: Path) -> None:
    """Functions are distinguished by their own file, not by that of a decorator."""
    retry = """
        from functools import partial, wraps

        def retried(func):
            @wraps(func)
            def call(*args):
                return func(*args)
            return call
    """
    write(folder, {"retry.py": retry, "shop.py": RETRIED, "web.py": RETRIED})
    importlib.import_module("shop")

    with pytest.raises(FlowDefinitionError, match=r"shop\.py:5.*web\.py:5"):
        importlib.import_module("web")


def test_a_decorated_function_is_found_at_home() -> None:
    """A step's place is that of the user's function below ``functools.wraps``."""

    def charge() -> None: ...

    @wraps(charge)
    def call() -> None: ...

    flow("orders")(step(call))

    line = charge.__code__.co_firstlineno
    assert (the_step("orders", "charge").line, line) == (line, line)


def test_what_is_said_later_adds_up() -> None:
    """Several declarations of a flow say different things about it."""
    flow("orders", owner="payments").entrypoint(name="a")(lambda: 1)
    flow("orders", tags=("core",)).step(name="b")(lambda: 1)
    flow("orders", description="Money in.").step(name="c")(lambda: 1)

    info = the_flow("orders")
    assert (info.owner, info.tags, info.description) == (
        "payments",
        ("core",),
        "Money in.",
    )


def test_a_flow_knows_its_service() -> None:
    """The service is the process's, and may be named after the flows."""
    flow("orders").entrypoint(name="a")(lambda: 1)

    configure(service="shop")

    assert the_flow("orders").service == "shop"


@pytest.mark.parametrize("mode", ["raise", "warn", "run"])
def test_outside_is_set_for_every_step_of_a_flow(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """``flow(..., outside=)`` holds for steps declared before and after it."""
    configure(outside="raise" if mode != "raise" else "run")
    name = f"orders_{mode}"
    functions: list[Callable[[], int]] = [
        flow(name).step(name="before")(lambda: 1),
        flow(name, outside=mode).step(name="said")(lambda: 1),
        flow(name).step(name="after")(lambda: 1),
    ]

    for func in functions:
        if mode == "raise":
            with pytest.raises(NotInFlowError):
                func()
        else:
            assert func() == 1
    assert caplog.text.count("runs as a plain function") == 3 * (mode == "warn")


def test_a_warning_is_shown_where_logging_is_not_set_up() -> None:
    """As Python shows the warnings of any library; a level or a handler hides it."""
    program = """
import logging, penstock
orders = penstock.flow("orders", outside="warn")
@orders.step(after="receive")
def charge(): ...
{}
charge()
"""
    shown = run_python(program.format(""))[1]
    assert shown.startswith("Step orders/charge was called outside a flow")
    for setting in (
        "logging.getLogger('penstock').setLevel('ERROR')",
        "logging.getLogger('penstock').addHandler(logging.NullHandler())",
        "logging.lastResort = None",
    ):
        assert run_python(program.format(setting))[1] == ""


@pytest.mark.parametrize("mode", ["rais", "WARN", 3, True])
def test_a_bad_outside_is_refused(mode: Any) -> None:
    """The message names the flow, the value, the line and the choices."""
    with pytest.raises(
        FlowDefinitionError,
        match=rf"flow\('orders', outside={mode!r}\) .*{__file__}:\d+.*'warn'",
    ):
        flow("orders", outside=mode)


def test_a_misspelt_outside_gets_a_suggestion() -> None:
    """A near miss is answered with the value that was meant."""
    with pytest.raises(FlowDefinitionError, match=r"Did you mean 'raise'\?"):
        flow("orders", outside="rase")


@pytest.mark.parametrize("name", ["", "   ", None, 3, ["orders"], entrypoint])
def test_a_flow_needs_a_name(name: Any) -> None:
    """The message says what was given, where, and what to write."""
    with pytest.raises(
        FlowDefinitionError, match=rf"flow\(\) was given .*{__file__}:\d+.*orders"
    ):
        flow(name)


def test_threads_may_declare_at_once() -> None:
    """Modules may be imported in several threads."""
    threads, each = 8, 50
    barrier = Barrier(threads)

    def declare(number: int) -> None:
        barrier.wait()
        for index in range(each):
            flow("orders").step(name=f"{number}_{index}", after="x")(lambda: 1)
            flow(f"flow_{index}").step(name=f"{number}")(lambda: 1)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(declare, range(threads)))

    assert len(steps_of("orders")) == threads * each
    assert all(len(steps_of(f"flow_{index}")) == threads for index in range(each))


def test_threads_may_share_a_function() -> None:
    """A function that many threads declare belongs to all their flows."""
    threads, each = 8, 40
    barrier = Barrier(threads)
    interval = sys.getswitchinterval()

    @flow("first")
    @step
    def work() -> str:
        return "done"

    def declare(number: int) -> None:
        barrier.wait()
        for index in range(each):
            flow(f"flow_{number}_{index}")(work)

    try:
        sys.setswitchinterval(1e-6)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(declare, range(threads)))
    finally:
        sys.setswitchinterval(interval)

    names = {f"flow_{n}_{i}" for n in range(threads) for i in range(each)}
    traces = Traces()
    configure(traces)
    for name in names:
        flow(name).entrypoint(name="start")(partial(work))()
    assert {call["flow"] for call in traces.attrs if call["step"] == "work"} == names


def test_a_forked_child_can_declare() -> None:
    """White-box: a lock that a thread of the parent held is free in the child."""
    held, done = Event(), Event()

    class Orders:
        @entrypoint
        def receive(self) -> None: ...

    def hold() -> None:
        with registry.lock:
            held.set()
            done.wait()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        held.wait()
        try:
            penstock.after_fork()
            flow("orders")(Orders)
        finally:
            done.set()

    assert list(steps_of("orders")) == ["receive"]


def test_a_run_survives_what_is_declared_meanwhile() -> None:
    """A call in one thread is not hurt by a declaration in another."""

    @flow("orders")
    @step
    def work() -> int:
        return 1

    def declare() -> None:
        for index in range(200):
            flow(f"other_{index}")(work)

    with ThreadPoolExecutor(1) as pool, start_flow():
        done = pool.submit(declare)
        while not done.done():
            assert work() == 1
        done.result()
