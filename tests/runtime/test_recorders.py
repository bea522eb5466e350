from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    TracingBackend,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    start_flow,
)
from tests.support.broken_backends import ALWAYS, ON_ERROR, SILENT, Failing
from tests.support.call_styles import KINDS, Traces, finish, marked, unique

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("way", sorted(ALWAYS | ON_ERROR | SILENT))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("fails", [False, True], ids=["success", "error"])
def test_a_failing_backend_never_breaks_a_call(
    warnings: list[logging.LogRecord], way: str, kind: str, role: str, *, fails: bool
) -> None:
    """The function runs once, with its own outcome; the log says so once."""
    configure(Failing(way))
    ran: list[str | None] = []
    exc = KeyError("own")

    def work() -> str:
        ran.append(current_flow_id())
        if fails:
            raise exc
        return "result"

    func = marked(kind, work, role=role)

    async def main() -> list[object]:
        outcomes: list[object] = []
        for _ in range(2):
            with start_flow("order-17"):
                try:
                    outcomes.append(await finish(func))
                except KeyError as error:
                    outcomes.append(error)
        return [*outcomes, current_flow_id()]

    outcome = exc if fails else "result"
    assert asyncio.run(main()) == [outcome, outcome, None]
    assert ran == ["order-17", "order-17"]
    assert (exc.__context__, exc.__cause__, exc.__suppress_context__) == (
        None,
        None,
        False,
    )
    is_told = way in ALWAYS or (fails and way in ON_ERROR)
    assert len(warnings) == is_told
    assert all("step ran all the same" in line.getMessage() for line in warnings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("when", ["enter", "exit"])
def test_a_base_exception_of_a_backend_passes(kind: str, role: str, when: str) -> None:
    """Ctrl-C in a backend is Ctrl-C; the context is given back."""

    class Interrupted(Traces):
        @contextmanager
        def span(self, *_names: str, **_attrs: object) -> Iterator[None]:
            if when == "enter":
                raise KeyboardInterrupt
            yield
            raise KeyboardInterrupt

    configure(Interrupted())
    ran: list[bool] = []
    func = marked(kind, lambda: ran.append(True), role=role)

    async def main() -> list[object]:
        with start_flow("order-17"):
            with pytest.raises(KeyboardInterrupt):
                await finish(func)
            return [current_flow_id()]

    assert asyncio.run(main()) == ["order-17"]
    assert ran == ([] if when == "enter" else [True])


def test_a_backend_that_was_entered_is_left_when_the_next_is_interrupted() -> None:
    """Of several, those that began are ended, in reverse, whatever passes."""
    first, second = Traces(), Traces()

    class Interrupted(Traces):
        def span(self, *_names: str, **_attrs: object) -> Any:
            raise KeyboardInterrupt

    configure(first, second, Interrupted())
    func = marked("sync", lambda: None, role="entrypoint")

    with pytest.raises(KeyboardInterrupt):
        func()

    assert [event for event, _ in first.events] == ["enter", "KeyboardInterrupt"]
    assert [event for event, _ in second.events] == ["enter", "KeyboardInterrupt"]


def test_each_cause_is_reported_once(warnings: list[logging.LogRecord]) -> None:
    """Another failure of the same backend is news; the same one again is not."""

    class Moody(Traces):
        error: Exception = OSError("first")

        def span(self, *_names: str, **_attrs: object) -> Any:
            raise self.error

    backend = Moody()
    configure(backend)
    func = marked("sync", lambda: None, role="entrypoint")

    func()
    func()
    backend.error = LookupError("second")
    func()

    assert len(warnings) == 2
    assert all(repr(backend) in line.getMessage() for line in warnings)
    assert all(line.exc_info is not None for line in warnings)


class Nameless(Traces):
    """A backend that cannot even be named."""

    def __repr__(self) -> str:
        raise RuntimeError

    def span(self, *_names: str, **_attrs: object) -> Any:
        raise OSError


class BrokenHandler(logging.Handler):
    """A log handler that raises, as one written in a hurry does."""

    def handle(self, record: logging.LogRecord) -> bool:
        raise OSError(record.msg)


class BrokenFilter(logging.Filter):
    """A log filter that raises."""

    def filter(self, record: logging.LogRecord) -> bool:
        raise OSError(record.msg)


@pytest.fixture(params=["handler", "filter", "handler's filter"])
def broken_logging(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Break the application's logging, of which ours is a part."""
    caplog.set_level(logging.INFO)
    logger = logging.getLogger("penstock")
    handler: logging.Handler = logging.NullHandler()
    broken_filter = BrokenFilter()
    if request.param == "handler":
        handler = BrokenHandler()
    elif request.param == "filter":
        logger.addFilter(broken_filter)
    else:
        handler = logging.StreamHandler()
        handler.addFilter(broken_filter)
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    logger.removeFilter(broken_filter)


@pytest.mark.usefixtures("broken_logging")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fails", [False, True], ids=["success", "error"])
def test_broken_logging_never_breaks_a_call(kind: str, *, fails: bool) -> None:
    """Handlers and filters that raise cost lines, and nothing else."""
    ran: list[bool] = []
    exc = KeyError("own")

    def work() -> str:
        ran.append(True)
        if fails:
            raise exc
        return "result"

    func = marked(kind, work, role="entrypoint")

    try:
        outcome: object = asyncio.run(finish(func))
    except KeyError as error:
        outcome = error

    assert outcome is exc if fails else outcome == "result"
    assert ran == [True]
    assert exc.__context__ is None


@pytest.mark.usefixtures("broken_logging")
@pytest.mark.parametrize("backend", [Failing("raises in span"), Nameless()])
def test_broken_logging_and_a_broken_backend_together(backend: TracingBackend) -> None:
    """The report that fails is given up; the function runs."""
    configure(backend, outside="warn")
    charge = marked("sync", lambda: "plain", role="step")

    assert marked("sync", lambda: "result", role="entrypoint")() == "result"
    assert charge() == "plain"


def test_a_backend_without_a_name_is_no_reason_to_fail() -> None:
    """What ``repr`` raises stays with us, too."""
    configure(Nameless())

    assert marked("sync", lambda: "result", role="entrypoint")() == "result"


def test_a_quiet_backend_is_not_asked_for_spans() -> None:
    """``enabled()`` says no: no span, not even for a failure."""
    backend = Traces()
    backend.wants = False
    configure(backend)

    with pytest.raises(KeyError):
        marked("sync", {}.popitem, role="entrypoint")()
    list(marked("generator", lambda: 1, role="entrypoint")())
    assert backend.events == []

    backend.wants = True
    marked("sync", lambda: 1, role="entrypoint")()
    assert len(backend.events) == 2


def test_the_backend_is_told_who_calls_what() -> None:
    """Names, IDs and the calling step are the attributes of a span."""
    backend = Traces()
    configure(backend, service="shop")
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        charge()

    with start_flow("root"), start_flow("order-17"):
        receive()

    common = {
        "flow": orders.name,
        "correlation_id": "order-17",
        "root_id": "root",
        "parent_id": "root",
        "service": "shop",
        "sent_at": None,
    }
    run_id = backend.attrs[0]["run_id"]
    assert backend.attrs == [
        {
            **common,
            "step": "receive",
            "run_id": run_id,
            "call_id": run_id,
            "parent_call_id": None,
            "parent_step": None,
        },
        {
            **common,
            "step": "charge",
            "run_id": run_id,
            "call_id": backend.attrs[1]["call_id"],
            "parent_call_id": run_id,
            "parent_step": "receive",
        },
    ]


def test_a_span_sees_the_flow_of_its_step() -> None:
    """In the backend the ID is that of the run, at its start and at its end."""
    ids: list[str] = []

    class Seeing(Traces):
        @contextmanager
        def span(self, *_names: str, **_attrs: object) -> Iterator[None]:
            ids.append(self.get_correlation_id())
            yield
            ids.append(self.get_correlation_id())

    configure(Seeing())

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None:
        ids.append(current_flow_id() or "")

    receive()
    list(marked("generator", lambda: 1, role="entrypoint")())

    assert len(ids) == 5
    assert len(set(ids)) == 2
    assert penstock.current_flow_id() is None
