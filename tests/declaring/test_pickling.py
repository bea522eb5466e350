"""Marked functions go where plain ones go: by name, or by value with cloudpickle."""

from __future__ import annotations

import asyncio
import pickle
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from penstock import configure, conformance_report, entrypoint, flow, step
from penstock._context import scope_var
from tests.support.call_styles import KINDS, finish, marked, unique
from tests.support.declarations import run, write

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
    import pickle, sys
    from penstock import current_flow_id, declared_flows, entrypoint, flow, step

    @flow("etl")
    class Etl:
        @entrypoint
        def load(self, number):
            return self.clean(number), current_flow_id() is not None

        @step(after="load")
        def clean(self, number): ...

    class Adding:
        def clean(self, number):
            return number + 1

    class Csv(Adding, Etl): ...

    if sys.argv[1] == "send":
        import cloudpickle
        if sys.argv[2] == "used":
            declared_flows(), Csv().load(1)
        print(cloudpickle.dumps(Csv().load).hex())
"""


def unpickled(data: bytes) -> Any:
    """Return what was pickled here."""
    return pickle.loads(data)  # noqa: S301  # our own data


@pytest.mark.parametrize("state", ["new", "used"])
def test_a_method_of_a_script_works_in_another_process(
    tmp_path: Path, state: str
) -> None:
    """Workers of Dask, Ray and Spark get it by value, before it has run or after."""
    pytest.importorskip("cloudpickle")
    write(tmp_path, {"script.py": PROGRAM})
    sent = run(tmp_path, "script.py", "send", state).strip()
    code = f"import pickle; print(pickle.loads(bytes.fromhex({sent!r}))(1))"

    assert run(tmp_path, "-c", code).strip() == "(2, True)"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("conformance", ["off", "raise"])
def test_every_kind_works_by_value(kind: str, role: str, conformance: str) -> None:
    """A copy in the same process does what the function does."""
    cloudpickle: Any = pytest.importorskip("cloudpickle")
    configure(conformance=conformance, outside="run")
    func = marked(kind, lambda: 17, role=role)
    asyncio.run(finish(func))

    copy = unpickled(cloudpickle.dumps(func))

    assert asyncio.run(finish(copy)) == 17
    assert copy is not func


def test_a_copy_is_judged_and_counted_as_the_step() -> None:
    """One flow whose functions are copies keeps the same order."""
    cloudpickle: Any = pytest.importorskip("cloudpickle")
    configure(conformance="raise")
    orders = flow(unique("orders"))

    @orders.step(after="receive")
    def charge() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        charge()

    receive()
    unpickled(cloudpickle.dumps(receive))()
    receive()

    found = conformance_report().to_dict()["flows"][orders.name]
    assert found["steps"] == {"charge": 3, "receive": 3}


def test_only_our_variable_has_a_name() -> None:
    """Other context variables cannot be pickled, as ever."""
    assert unpickled(pickle.dumps(scope_var)) is scope_var
    with pytest.raises(TypeError, match="cannot pickle 'ContextVar' object"):
        pickle.dumps(ContextVar("other"))


@flow("pickled_by_name")
class Named:
    """A class whose instances are pickled by the name of the class."""

    @entrypoint
    def receive(self) -> str:
        """Charge."""
        return self.charge()

    @step(after="receive")
    def charge(self) -> str:
        """Be overridden."""
        raise NotImplementedError


class Fast(Named):
    """A subclass with an override."""

    def charge(self) -> str:
        """Return at once."""
        return "charged"


def test_methods_pickle_by_name() -> None:
    """The standard library's pickle finds the class and its overrides."""
    assert unpickled(pickle.dumps(Fast().receive))() == "charged"
    assert unpickled(pickle.dumps(Fast.charge)) is Fast.charge
