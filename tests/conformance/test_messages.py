"""Messages of any transport: judged where they are sent, or where they arrive."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    FlowOrderError,
    bind_flow,
    configure,
    flow,
    start_flow,
    step,
)
from penstock._context import scope_var
from penstock._propagation.carrier import judge_message, write_headers
from penstock._steps.marked import Marked, find_marked
from penstock.conformance.judge import process_judge
from penstock.testing import in_flow, watch_runs

pytestmark = pytest.mark.usefixtures("recorded")

if TYPE_CHECKING:
    from collections.abc import Callable

Headers = dict[str, str]


class Shop:
    """A flow whose steps a transport may call, each of which calls what it is given."""

    def __init__(self) -> None:
        orders = flow("orders")
        self.sent: list[Headers] = []
        self.receive = orders.entrypoint(name="receive")(_call)
        self.reserve = orders.step(name="reserve", after="receive")(_call)
        self.notify = orders.step(name="notify", after="reserve")(_call)
        self.audit = flow("billing").step(name="audit", after="nothing")(_call)

    def send(self, function: Any, flows: frozenset[str] | None = None) -> None:
        """Send a message that calls a step, as an integration does."""
        mark: Any = find_marked(function)
        call = judge_message(mark)
        flows = flows or frozenset(one.flow for one in mark.steps)
        headers: Headers = {}
        write_headers(headers, flows=flows, call=call)
        self.sent.append(headers)

    def sending(self, function: Any) -> Callable[[], None]:
        """Return what sends such a message when it is called."""
        return lambda: self.send(function)


def _call(*inner: Callable[[], Any]) -> None:
    for one in inner:
        one()


def counted(name: str = "orders") -> dict[str, Any]:
    """Return what was counted of a flow."""
    found: dict[str, Any] = penstock.conformance_report().to_dict()["flows"][name]
    return found


def verdict() -> list[str]:
    """Return each rule that broke, with its step."""
    return [f"{v['code']} {v['step']}" for v in counted()["violations"]]


def field(headers: Headers) -> dict[str, Any]:
    """Return what a message says of its flow."""
    found: dict[str, Any] = json.loads(headers["penstock"])
    return found


def test_sending_is_calling() -> None:
    """What had ended counts, and what is open above."""
    shop = Shop()

    shop.receive(shop.reserve, shop.sending(shop.notify))
    shop.receive(lambda: shop.reserve(shop.sending(shop.notify)))

    assert verdict() == []
    assert counted()["steps"]["notify"] == 2
    assert [edge["witnessed"] for edge in counted()["edges"]] == [2, 2]
    assert [field(one)["call"] for one in shop.sent] == ["orders/notify"] * 2


def test_sending_too_early() -> None:
    """It breaks R1 at once, and R2 when the predecessor runs later."""
    shop = Shop()

    shop.receive(shop.sending(shop.notify), shop.reserve)

    assert verdict() == ["R1 notify", "R2 notify"]
    message = counted()["violations"][0]["message"]
    assert "was sent, called by 'receive', when 'reserve' had not ended" in message


def test_two_messages_the_wrong_way_round() -> None:
    """In what a message brought R2 decides, though nothing is called there."""
    shop = Shop()

    with start_flow():
        shop.send(shop.notify)
        assert verdict() == []
        shop.send(shop.reserve)

    assert verdict() == ["R2 notify"]


def test_raise_stops_the_sender() -> None:
    """There are no headers to send."""
    configure(conformance="raise")
    shop = Shop()

    with pytest.raises(FlowOrderError, match="'reserve' had not ended"):
        shop.receive(shop.sending(shop.notify))

    assert shop.sent == []
    assert counted()["steps"]["notify"] == 0


def test_the_receiver_does_not_count_again() -> None:
    """Only its own further calls of the step."""
    shop = Shop()
    shop.receive(shop.reserve, shop.sending(shop.notify))

    with penstock.continue_flow(shop.sent[0]):
        shop.notify()
        assert counted()["steps"]["notify"] == 1
        shop.notify()

    assert counted()["steps"]["notify"] == 2
    assert verdict() == []


def test_a_foreign_step_is_counted_once() -> None:
    """A step of another flow is not judged, wherever it runs."""
    shop = Shop()
    shop.receive(shop.sending(shop.audit))

    with penstock.continue_flow(shop.sent[0]):
        shop.audit()

    assert counted()["foreign"] == [{"flow": "billing", "step": "audit", "count": 1}]
    with in_flow("orders"):
        shop.send(shop.audit)
    assert counted()["foreign"][0]["count"] == 1


def test_a_rehearsal_counts_nothing() -> None:
    """What a test sets up earns no evidence, and may break the order."""
    shop = Shop()

    with in_flow("orders", done={"reserve"}):
        shop.send(shop.notify)
    with in_flow("orders", done=set()):
        shop.send(shop.notify)

    assert counted()["steps"]["notify"] == 0
    assert verdict() == ["R1 notify"]


def test_watchers_see_messages() -> None:
    """The path of a run has the steps that messages call."""
    shop = Shop()

    with watch_runs() as runs:
        shop.receive(shop.reserve, shop.sending(shop.notify))

    assert runs[0].path == ["receive", "reserve", "notify"]


def test_a_message_may_run_steps_of_the_runs_around() -> None:
    """One that another flow sends may bring a step of this one."""
    shop = Shop()
    bill = flow("billing").entrypoint(name="bill")(_call)

    shop.receive(lambda: bill(shop.sending(shop.audit)), shop.notify)
    assert verdict() == ["R1 notify"]

    penstock.conformance_report()
    process_judge.clear()
    shop.receive(lambda: bill(penstock.inject), shop.notify)
    assert verdict() == []


def test_a_request_runs_nothing_of_this_service() -> None:
    """After it a missing step is still a violation."""
    shop = Shop()

    shop.receive(lambda: write_headers({}), shop.notify)

    assert verdict() == ["R1 notify"]


def test_messages_that_are_not_judged() -> None:
    """Outside a flow, of a step without one, of an entrypoint, and in mode off."""
    shop = Shop()
    mark: Any = find_marked(shop.notify)
    untaken: Any = find_marked(step(name="untaken", after="receive")(lambda: None))

    assert isinstance(untaken, Marked)
    assert judge_message(mark) == ""
    with start_flow():
        assert judge_message(untaken) == ""
        assert judge_message(find_marked(shop.receive)) == ""  # type: ignore[arg-type]  # it has one
        assert judge_message(mark) == "orders/notify"
        configure(conformance="off")
        assert judge_message(mark) == ""
        assert "done" not in field(dict(write_headers({}, flows=None)))


def test_a_failure_of_penstock_stops_no_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is sent, without what could not be found out."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    shop = Shop()
    monkeypatch.setattr("penstock.conformance.run_progress.RunProgress.send", fail)
    monkeypatch.setattr("penstock.conformance.plan.FlowPlan.names", fail)

    shop.receive(shop.reserve, shop.sending(shop.notify))

    assert not {"call", "done"} & field(shop.sent[0]).keys()


def test_following_a_context_by_hand() -> None:
    """A copy of it that a framework makes belongs to the same run."""
    shop = Shop()

    with start_flow() as context:
        scope: Any = scope_var.get()
        progress = process_judge.follow(context, "orders")
        assert process_judge.follow(context, "billing") is progress
        assert context.progress is progress
        assert scope[0] is context
        shop.notify()
        shop.reserve()

    assert verdict() == ["R2 notify"]


def test_a_call_for_a_process_pool_before_any_step() -> None:
    """Nothing is known of the run by then."""
    shop = Shop()

    with start_flow():
        pickle.dumps(bind_flow(print))
        shop.notify()

    assert verdict() == []


def test_a_list_with_names_that_nothing_declares() -> None:
    """They are ignored here, and passed on."""
    shop = Shop()
    sent = json.dumps({"flow": "orders", "done": ["receive", "elsewhere", "reserve"]})

    with penstock.continue_flow({"X-Correlation-ID": "a", "penstock": sent}):
        shop.notify()
        further = penstock.inject()

    assert counted()["edges"][1]["witnessed"] == 1
    assert field(further)["done"] == ["elsewhere", "notify", "receive", "reserve"]
