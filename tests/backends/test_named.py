from __future__ import annotations

import logging
import os
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    ConfigurationError,
    LoggingBackend,
    TracingBackend,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    get_backend,
    start_flow,
    step,
)
from tests.support.call_styles import Traces, run_python, unique

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def run(*, fails: bool = False) -> str:
    """Make a run of two steps; return the flow's name."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        if fails:
            raise KeyError

    @orders.entrypoint
    def receive() -> None:
        charge()

    with suppress(KeyError):
        receive()
    return orders.name


def test_the_abstract_class_asks_for_span_and_id() -> None:
    """A backend without them is refused by Python itself."""
    with pytest.raises(TypeError, match="abstract"):
        TracingBackend()  # type: ignore[abstract]  # that is the point


def test_a_backend_as_it_is_printed() -> None:
    """Subclass, two methods, ``configure``: steps arrive, nested as they ran."""
    seen: list[str] = []

    class PrintBackend(TracingBackend):
        @contextmanager
        def span(self, step_name: str, flow_name: str, **attrs: object) -> Any:
            seen.append(f"begin {step_name} {attrs['parent_step']}")
            yield
            seen.append(f"end {step_name}")

        def get_correlation_id(self) -> str:
            return current_flow_id() or ""

    configure(PrintBackend())
    run()

    assert seen == [
        "begin receive None",
        "begin charge receive",
        "end charge",
        "end receive",
    ]
    assert get_backend().enabled()


def test_a_backend_may_have_methods_of_any_name() -> None:
    """A backend's own ``start`` and ``finish`` are not called."""
    seen: list[str] = []

    class Exporter(TracingBackend):
        def start(self) -> None:
            seen.append("started")

        def finish(self) -> None:
            seen.append("finished")

        def span(
            self, step_name: str, flow_name: str, **attrs: object
        ) -> AbstractContextManager[None]:
            seen.append(step_name)
            return nullcontext()

        def get_correlation_id(self) -> str:
            return ""

    configure(Exporter())
    run()

    assert seen == ["receive", "charge"]


def test_several_backends_hear_of_every_step(lines: list[logging.LogRecord]) -> None:
    """Begun in order, ended in reverse, each with what it asks for."""
    order: list[str] = []

    class Named(Traces):
        def __init__(self, name: str) -> None:
            super().__init__()
            self._tag = name

        @contextmanager
        def span(self, *_names: str, **_attrs: object) -> Iterator[None]:
            order.append(f"enter {self._tag}")
            yield
            order.append(f"exit {self._tag}")

    configure(Named("a"), "logging", Named("b"))

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None: ...

    receive()

    assert order == ["enter a", "enter b", "exit b", "exit a"]
    assert [line.getMessage().split()[0] for line in lines] == [
        "step.start",
        "step.end",
    ]


def test_one_of_several_may_be_quiet(warnings: list[logging.LogRecord]) -> None:
    """At WARNING the log is quiet, but a failure is still one line."""
    traces = Traces()
    configure("logging", traces)

    name = run(fails=True)

    assert traces.events == [
        ("enter", "receive"),
        ("enter", "charge"),
        ("KeyError", "charge"),
        ("KeyError", "receive"),
    ]
    (line,) = [record.getMessage() for record in warnings]
    assert line.startswith(f"step.error {name}/charge KeyError")


def test_one_of_several_that_fails_does_not_stop_the_others(
    warnings: list[logging.LogRecord],
) -> None:
    """A broken backend costs its own spans."""

    class Broken(Traces):
        def span(self, *_names: str, **_attrs: object) -> Any:
            raise OSError

    before, after = Traces(), Traces()
    configure(before, Broken(), after)

    run()

    assert before.events == after.events
    assert len(before.events) == 4
    assert len(warnings) == 1


def test_get_backend_of_several_drives_them_all() -> None:
    """``get_backend().span()`` enters a span of each backend that wants one."""
    first, second, quiet = Traces(), Traces(), Traces()
    quiet.wants = False
    configure(first, second, quiet)
    backend = get_backend()

    with start_flow("order-17"):
        with backend.span("charge", "orders", parent_step=None):
            pass
        assert backend.get_correlation_id() == "order-17"

    assert first.events == second.events == [("enter", "charge"), ("exit", "charge")]
    assert quiet.events == []
    assert backend.enabled()
    first.wants = second.wants = False
    assert not backend.enabled()
    assert backend.get_correlation_id() == ""
    assert all(repr(one) in repr(backend) for one in (first, second, quiet))


def test_a_span_of_several_is_entered_when_it_is_entered() -> None:
    """A span that is not entered opens nothing; a failure closes what is open."""
    first = Traces()

    class Broken(Traces):
        @contextmanager
        def span(self, *_names: str, **_attrs: object) -> Iterator[None]:
            raise ZeroDivisionError
            yield  # type: ignore[unreachable]  # makes it a generator

    configure(first, Broken())

    span = get_backend().span("charge", "orders")
    assert first.events == []
    with pytest.raises(ZeroDivisionError), span:
        pass

    assert first.events == [("enter", "charge"), ("ZeroDivisionError", "charge")]


def test_a_subclass_of_the_logging_backend_that_overrides_span() -> None:
    """Its ``span`` is what is called, and may call the inherited one."""
    seen: list[str] = []

    class Counting(LoggingBackend):
        @contextmanager
        def span(self, step_name: str, flow_name: str, **attrs: object) -> Any:
            seen.append(step_name)
            with super().span(step_name, flow_name, **attrs):
                yield

    configure(Counting())
    logging.getLogger("penstock").setLevel(logging.INFO)
    try:
        run()
    finally:
        logging.getLogger("penstock").setLevel(logging.NOTSET)

    assert seen == ["receive", "charge"]


def test_a_subclass_of_the_logging_backend_decides_when_it_is_quiet() -> None:
    """Its ``enabled()`` is asked, whatever the logger would say."""
    seen: list[bool] = []

    class Asked(LoggingBackend):
        def enabled(self) -> bool:
            seen.append(True)
            return False

    configure(Asked())
    logging.getLogger("penstock").isEnabledFor(logging.INFO)  # cached from here on
    run()
    run()

    assert len(seen) == 4


def test_span_of_the_logging_backend_by_hand(lines: list[logging.LogRecord]) -> None:
    """``get_backend().span(...)`` writes the same lines, for a block of your own."""
    configure("logging")

    with start_flow("order-17"), get_backend().span("block", "orders"):
        assert get_backend().get_correlation_id() == "order-17"
    with pytest.raises(KeyError), get_backend().span("block", "orders"):
        raise KeyError

    messages = [line.getMessage().split()[:2] for line in lines]
    assert messages == [
        ["step.start", "orders/block"],
        ["step.end", "orders/block"],
        ["step.start", "orders/block"],
        ["step.error", "orders/block"],
    ]


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Install a distribution that registers backends, in a folder of its own."""
    (tmp_path / "acme_backend.py").write_text(
        dedent("""
            from penstock import TracingBackend
            from contextlib import nullcontext

            class AcmeBackend(TracingBackend):
                def span(self, step_name, flow_name, **attrs):
                    print("acme", step_name)
                    return nullcontext()
                def get_correlation_id(self): return ""
                def __repr__(self): return "<acme>"

            made = AcmeBackend()
            def make(): return AcmeBackend()
            def wrong(): return 17
        """)
    )
    info = tmp_path / "acme_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        dedent("""
            [penstock.backends]
            acme = acme_backend:AcmeBackend
            object = acme_backend:made
            factory = acme_backend:make
            wrong = acme_backend:wrong
            absent = acme_backend:absent
        """)
    )
    return tmp_path


@pytest.mark.parametrize("name", ["acme", "object", "factory"])
def test_a_package_can_register_a_backend(
    plugins: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By name, from the entry-point group: a class, an object or a function."""
    monkeypatch.syspath_prepend(plugins)

    configure(name)

    assert repr(get_backend()) == "<acme>"


def test_a_registered_thing_that_is_no_backend_is_refused(
    plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the entry point, and where it leads."""
    monkeypatch.syspath_prepend(plugins)

    with pytest.raises(ConfigurationError, match=r"'wrong'.*acme_backend:wrong.*17"):
        configure("wrong")


def test_an_unknown_name_lists_registered_ones(
    plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message lists what is installed, and suggests the nearest name."""
    monkeypatch.syspath_prepend(plugins)

    with pytest.raises(ConfigurationError, match=r"acme.*Did you mean 'acme'"):
        configure("acmee")


def test_a_registered_backend_by_environment(plugins: Path) -> None:
    """It may import from penstock, although penstock is being imported."""
    program = dedent("""
        from penstock import *
        @flow("orders")
        @entrypoint
        def receive(): ...
        receive()
        print(get_backend())
    """)
    path = os.pathsep.join([str(plugins), *sys.path])
    out, errors = run_python(program, PENSTOCK_BACKEND="acme", PYTHONPATH=path)

    assert errors == ""
    assert out == "acme receive\n<acme>\n"


def test_steps_without_a_runner_are_told_to_the_backend_too() -> None:
    """A step under a carried context, and one that runs by itself, are spans."""
    traces = Traces()
    configure(traces, outside="run")

    @flow(unique("orders"))
    @step
    def charge() -> None: ...

    charge()
    with penstock.start_flow():
        charge()

    assert len(traces.events) == 4
