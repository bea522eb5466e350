"""Tags on the events that the real SDK makes."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import penstock

if TYPE_CHECKING:
    from collections.abc import Iterator

with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
    warnings.simplefilter("ignore")
    # The SDK imports eventlet, which fails beside trio if dnspython finds httpx2.
    patch.setitem(sys.modules, "eventlet", None)
    sentry_sdk = pytest.importorskip("sentry_sdk", reason="needs sentry-sdk")
    from penstock.contrib.sentry import install_sentry, uninstall_sentry

# The SDK imports frameworks to look whether they are there.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")

orders = penstock.flow("sent")


@orders.entrypoint
def receive(order: str) -> None:
    """Take an order; an unknown one fails."""
    sentry_sdk.capture_message("taken")
    charge(order)


@orders.step(after=receive)
def charge(order: str) -> None:
    """Charge an order."""
    if order == "unknown":
        raise KeyError(order)
    sentry_sdk.capture_message("charged")


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """Collect what the SDK would send."""
    sent: list[dict[str, Any]] = []

    def keep(event: Any, _hint: object) -> None:
        sent.append(event)

    with sentry_sdk.isolation_scope():
        sentry_sdk.init(
            "http://key@localhost:1/1", before_send=keep, default_integrations=False
        )
        install_sentry()
        yield sent
        uninstall_sentry()
        sentry_sdk.get_client().close(timeout=0)
        sentry_sdk.init(default_integrations=False)


def test_events_have_the_flow_and_the_step(events: list[dict[str, Any]]) -> None:
    """Each event has the step that was running, and one ID."""
    with penstock.start_flow("order-17"):
        sentry_sdk.capture_message("before")
        receive("A-1")

    common = {"correlation_id": "order-17", "root_id": "order-17"}
    assert [event["tags"] for event in events] == [
        common,
        common | {"flow": "sent", "step": "receive"},
        common | {"flow": "sent", "step": "charge"},
    ]


def test_an_unhandled_exception_has_the_step_that_raised(
    events: list[dict[str, Any]],
) -> None:
    """The run is over when a framework's integration reports the exception."""
    try:
        receive("unknown")
    except KeyError as exc:
        assert penstock.current_flow_id() is None
        sentry_sdk.capture_exception(exc)

    taken, failed = events
    assert failed["tags"] == taken["tags"] | {"step": "charge"}


def test_outside_a_flow_nothing_is_added(events: list[dict[str, Any]]) -> None:
    """An event of no flow looks as without penstock."""
    sentry_sdk.capture_message("hello")

    assert not events[0].get("tags")


def test_tags_of_the_user_stay(events: list[dict[str, Any]]) -> None:
    """A tag that the application has set is not replaced."""
    with penstock.start_flow("order-17"), sentry_sdk.new_scope() as scope:
        scope.set_tag("correlation_id", "mine")
        sentry_sdk.capture_message("hello")

    assert events[0]["tags"]["correlation_id"] == "mine"


def test_it_is_installed_once_and_can_be_undone(events: list[dict[str, Any]]) -> None:
    """A second call adds nothing; after one uninstall there are no tags."""
    install_sentry()
    uninstall_sentry()
    with penstock.start_flow("order-17"):
        sentry_sdk.capture_message("hello")

    assert not events[0].get("tags")


@pytest.mark.parametrize("sentry_first", [True, False])
def test_a_thread_has_its_flow_beside_sentrys_threads(*, sentry_first: bool) -> None:
    """Sentry's integration wraps ``Thread.start`` too; its patch stays for good."""
    start_both = ["sentry_sdk.init('http://key@localhost:1/1')", "install_threads()"]
    if not sentry_first:
        start_both.reverse()
    program = f"""
import sys, threading
sys.modules["eventlet"] = None
import penstock, sentry_sdk
from penstock.contrib.threads import install_threads
{start_both[0]}
{start_both[1]}

def work():
    print(penstock.current_flow_id())

with penstock.start_flow("order-17"):
    for thread in (threading.Thread(target=work), threading.Timer(0, work)):
        thread.start()
        thread.join()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["order-17", "order-17"], done.stderr
