from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock import flow
from penstock._types import FlowInfo, StepInfo
from penstock.runs.judging import judge
from penstock.runs.lines import StoredLine
from penstock.runs.trees import operations_of
from tests.support.stored_lines import EPOCH_US, made_call, made_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.runs.operation import OrderJudgement


def orders(service: str = "", /, **after: Any) -> FlowInfo:
    """Declare a flow; a tuple means "one of", a list in it "all of"."""
    steps = [StepInfo("receive", "orders", is_entrypoint=True)]
    for name, names in after.items():
        given = names if isinstance(names, tuple) else (names,)
        groups = tuple((one,) if isinstance(one, str) else tuple(one) for one in given)
        steps.append(StepInfo(name, "orders", after=groups))
    return FlowInfo("orders", tuple(steps), service=service)


def crossing(declared: FlowInfo, *names: str) -> FlowInfo:
    """Let messages call some steps of a flow."""
    steps = (
        StepInfo(one.name, "orders", after=one.after, crosses=True)
        if one.name in names
        else one
        for one in declared.steps
    )
    return FlowInfo("orders", tuple(steps), service=declared.service)


CHAIN = orders(validate="receive", charge="validate", ship="charge")
RECEIVE = made_call("receive", 0, 50)


def only(lines: list[StoredLine], *flows: FlowInfo) -> OrderJudgement:
    """Return the only judgement on the orders of the only operation."""
    (operation,) = operations_of(lines)
    judgements = judge(operation, flows or [CHAIN])
    (found,) = (one for one in judgements if one.flow == "orders")
    return found


def sent(
    step: str, at_ms: float, start: float, end: float, **more: Any
) -> list[StoredLine]:
    """Make a call on another host, by a message that was sent at a time."""
    sent_at = f"2001-09-09T01:46:40.{round(at_ms * 1000):06d}Z"
    return made_call(step, start, end, host__name="b", sent_at=sent_at, **more)


def test_what_is_said_of_a_broken_order() -> None:
    """The steps, the edges and the calls, each once."""
    found = only([*RECEIVE, *made_call("charge", 1, 2), *made_call("validate", 3, 4)])

    assert (found.flow, found.run_id, found.verdict) == (
        "orders",
        "id-receive",
        "out of order",
    )
    assert found.reasons == ("'charge' was called when 'validate' had not ended",)
    assert found.edges == (("validate", "charge"),)
    assert [call.step for call in found.calls] == ["charge"]


def test_the_caller_is_named_as_after_would_name_it() -> None:
    """With its flow if that is another one."""
    bill = made_call("bill", 1, 9, flow="billing")
    by_bill = made_call("charge", 2, 3, parent_call_id="id-bill")

    callers = [
        one.rules[0].caller
        for lines in (
            [*RECEIVE, *made_call("charge", 2, 3)],
            [*RECEIVE, *bill, *by_bill],
        )
        for one in judge(operations_of(lines)[0], [CHAIN])
    ]

    assert callers == ["receive", "billing:bill"]


def test_what_is_said_of_joins() -> None:
    """R1 names all predecessors, R3 what the join lacks, R2 the edge."""
    one_of = orders(charge="receive", pack="receive", send=("charge", "pack"))
    all_of = orders(charge="receive", pack="receive", send=(["charge", "pack"],))
    charge, send, pack = (
        made_call(name, at, at + 1)
        for name, at in (("charge", 1), ("send", 3), ("pack", 5))
    )

    assert only([*RECEIVE, *send], one_of).reasons == (
        "'send' was called when none of 'charge', 'pack' had ended",
    )
    assert only([*RECEIVE, *charge, *send], all_of).reasons == (
        "'send' was called when 'pack' had not ended",
    )
    found = only([*RECEIVE, *charge, *send, *pack], one_of)
    assert found.reasons == ("both ran, and 'pack' never ended before 'send'",)
    assert found.edges == (("pack", "send"),)
    assert [call.step for call in found.calls] == ["send"]


def test_runs_inside_a_run_are_judged_alone() -> None:
    """What the other run has done is not before anything in them."""
    inner: dict[str, Any] = {"run_id": "id-inner"}
    lines = [
        *RECEIVE,
        *made_call("validate", 1, 2),
        *made_call(
            "receive", 3, 9, call_id="id-inner", parent_call_id="id-receive", **inner
        ),
        *made_call("charge", 4, 5, parent_call_id="id-inner", **inner),
        *made_call("charge", 10, 11, call_id="id-charge-2"),
        *made_call("ship", 12, 13, call_id="id-ship-2", run_id="id-receive"),
    ]

    (operation,) = operations_of(lines)
    found = judge(operation, [CHAIN])

    assert [(one.run_id, one.verdict) for one in found] == [
        ("id-receive", "in order"),
        ("id-inner", "out of order"),
    ]
    later = made_call("ship", 14, 15, parent_call_id="id-inner", call_id="s", **inner)
    (operation,) = operations_of([*lines[:2], *lines[4:8], *lines[10:], *later])
    assert [one.verdict for one in judge(operation, [CHAIN])] == ["out of order"] * 2


@pytest.mark.parametrize("lost", range(6))
def test_a_gap_makes_a_run_unknown(lost: int) -> None:
    """Whichever line is lost."""
    lines = [*RECEIVE, *made_call("charge", 1, 2), *made_call("validate", 3, 4)]

    found = only(lines[:lost] + lines[lost + 1 :])

    assert found.verdict == "unknown"
    assert found.reasons[0].startswith("lines are missing: ")
    assert found.edges == ()


def test_times_that_are_unknown() -> None:
    """They prove nothing."""
    entry = {"call": "id-charge", "parent": "id-receive", "step": "charge"}
    line = made_line("end", "receive", 9, duration_ms=9.0, calls=[entry])

    assert only([line]).reasons == ("no line says when 'charge' ran",)


def test_flows_and_steps_that_are_not_declared() -> None:
    """The flow may have changed since."""
    lines = [*RECEIVE, *made_call("check", 1, 2), *made_call("charge", 3, 4)]

    assert only(lines, FlowInfo("billing")).reasons == ("no flow 'orders' is declared",)
    found = only(lines)
    assert found.verdict == "unknown"
    assert found.reasons == (
        "'check' is not declared",
        "'validate' may have run before 'charge', unseen",
    )
    declared = orders(ship="nothing", pack="billing:bill")
    named = only([*RECEIVE, *made_call("ship", 1, 2)], declared)
    assert named.reasons == ("'nothing' may have run before 'ship', unseen",)


def test_what_a_message_may_have_run() -> None:
    """A step that messages call, or one after it, unless its lines are here."""
    late = [*RECEIVE, *made_call("ship", 8, 9)]

    assert only(late, crossing(CHAIN, "charge")).verdict == "unknown"
    assert only(late, crossing(CHAIN, "validate")).verdict == "unknown"
    assert only(late, crossing(CHAIN, "ship")).verdict == "out of order"
    validated = [*late, *made_call("validate", 1, 2)]
    assert only(validated, crossing(CHAIN, "validate")).verdict == "out of order"


def test_what_another_service_may_have_run() -> None:
    """Unless that service has written some lines of the operation."""
    mine = orders("shop", ship="charge")
    other = orders("bank", charge="receive")
    lines = [*RECEIVE, *made_call("ship", 8, 9)]
    there = made_call("audit", 1, 2, service="bank", flow="audits")

    def served(lines: list[StoredLine]) -> list[StoredLine]:
        return [
            StoredLine(one.time_us, {"service": "shop", **one.fields}) for one in lines
        ]

    assert only(served(lines), mine, other).verdict == "unknown"
    assert only(served([*lines, *there]), mine, other).verdict == "out of order"
    assert only(
        served(lines), orders("shop", charge="receive", ship="charge")
    ).verdict == ("out of order")


def test_predecessors_in_other_flows() -> None:
    """They may run unseen, and never break the order."""
    declared = orders(ship=("billing:bill", "bank/payments:pay"), pack=":nowhere")
    billing = FlowInfo("billing", (StepInfo("bill", "billing"),))
    lines = [*RECEIVE, *made_call("ship", 1, 2), *made_call("pack", 3, 4)]

    assert only(lines, declared, billing).verdict == "in order"


def test_steps_of_other_flows_are_not_judged() -> None:
    """A call of them is foreign; a context of no flow has a verdict for each."""
    lines = [*RECEIVE, *made_call("bill", 1, 2, flow="billing")]
    bare: dict[str, Any] = {"run_id": "context", "parent_call_id": None}
    bare |= {"parent_step": None}

    assert only(lines).verdict == "in order"
    (operation,) = operations_of(
        [
            *made_call("charge", 1, 2, **bare),
            *made_call("validate", 3, 4, **bare),
            *made_call("bill", 5, 6, flow="billing", **bare),
        ]
    )
    found = judge(operation, [CHAIN])
    assert [(one.flow, one.verdict) for one in found] == [
        ("orders", "out of order"),
        ("billing", "unknown"),
    ]
    assert found[0].reasons == ("both ran, and 'validate' never ended before 'charge'",)


def test_steps_of_other_flows_that_a_message_brings() -> None:
    """They are judged as a flow of their own, whose missing steps prove nothing."""
    tasks = [
        *sent("bill", 3, 900, 910, flow="billing"),
        *sent("post", 904, 950, 960, flow="billing", parent_call_id="id-bill"),
    ]
    after = (("orders:receive",),), (("bill",),), (("post",),)
    steps = zip(("bill", "post", "book"), after, strict=True)
    billing = FlowInfo(
        "billing", tuple(StepInfo(name, "billing", after=one) for name, one in steps)
    )
    lines = [*RECEIVE, *made_call("bill", 1, 2, flow="billing", call_id="direct")]
    (direct,) = operations_of(lines)
    (operation,) = operations_of([*RECEIVE, *tasks])
    alone = sent("book", 3, 900, 910, flow="billing")
    (missing,) = operations_of([*RECEIVE, *alone])

    found = {one.flow: one for one in judge(operation, [CHAIN, billing])}
    assert found.keys() == {"orders", "billing"}
    assert found["billing"].verdict == "in order"
    assert found["billing"].witnessed == {
        ("orders:receive", "bill"): 1,
        ("bill", "post"): 1,
    }
    assert [one.flow for one in judge(direct, [CHAIN, billing])] == ["orders"]
    verdicts = {one.flow: one.verdict for one in judge(missing, [CHAIN, billing])}
    assert verdicts == {"orders": "in order", "billing": "unknown"}


def test_a_step_that_runs_alone() -> None:
    """As with ``outside="run"``: what ran before it is not known."""
    bare: dict[str, Any] = {"parent_call_id": None, "parent_step": None}
    lines = made_call("charge", 0, 9, call_id="id-receive", **bare)

    assert only(lines).reasons == ("'validate' may have run before 'charge', unseen",)


def test_a_call_in_the_bare_context_of_a_run() -> None:
    """What is open above it, and above what it calls, is not known."""
    bare: dict[str, Any] = {"parent_call_id": None, "parent_step": None}
    lines = [*RECEIVE, *made_call("charge", 60, 70, **bare)]
    below = made_call("ship", 61, 62, parent_call_id="id-charge")
    early = made_call("pack", 63, 64, parent_call_id="id-charge")

    assert only(lines).verdict == "unknown"
    assert only([*lines, *below], orders(charge="receive", ship="charge")).verdict == (
        "in order"
    )
    declared = orders(charge="receive", pack="validate")
    assert only([*lines, *early], declared).verdict == "unknown"


def test_a_call_beyond_the_line_of_its_run() -> None:
    """What was before it may have been one, too, whose only line is lost."""
    entries = [{"call": "id-pack", "parent": "id-receive", "step": "validate"}]
    times = {"start_ms": 1, "duration_ms": 1, "outcome": "ok"}
    run = made_line("end", "receive", 9, duration_ms=9.0, calls=[entries[0] | times])
    late = made_call("ship", 20, 21)[1]

    assert only([run, late]).verdict == "unknown"


CLOCKS = {
    "it had ended when the message was sent": (
        [*made_call("validate", 1, 2), *sent("charge", 3, 900, 901)],
        "in order",
    ),
    "it had not ended then": (
        [*made_call("validate", 1, 4), *sent("charge", 3, 900, 901)],
        "out of order",
    ),
    "nor what the message has led to": (
        [
            *made_call("validate", 1, 2),
            *sent("relay", 3, 900, 910, flow="other"),
            *made_call("charge", 901, 902, host__name="b", parent_call_id="id-relay"),
        ],
        "in order",
    ),
    "two hosts": (
        [
            *made_call("validate", 1, 4),
            *sent("relay", 3, 900, 910, flow="other"),
            *made_call("charge", 901, 902, host__name="b", parent_call_id="id-relay"),
        ],
        "unknown",
    ),
    "sent, and it took too long": (
        [*sent("validate", 1, 900, 905), *made_call("charge", 3, 4)],
        "out of order",
    ),
    "below what was sent, and it took too long": (
        [
            *sent("relay", 1, 900, 910, flow="other"),
            *made_call("validate", 903, 907, host__name="b", parent_call_id="id-relay"),
            *made_call("charge", 5, 6),
        ],
        "out of order",
    ),
    "sent, and it may have ended": (
        [*sent("validate", 1, 900, 901), *made_call("charge", 3, 4)],
        "unknown",
    ),
    "both sent, and it took too long": (
        [*sent("validate", 1, 900, 905), *sent("charge", 3, 950, 951)],
        "out of order",
    ),
    "sent in the name of a caller that had ended": (
        [*made_call("validate", 1, 2), *sent("charge", 300, 900, 901)],
        "unknown",
    ),
    "the same on one host": (
        [
            *made_call("validate", 1, 2),
            *made_call(
                "charge",
                400,
                401,
                sent_at="2001-09-09T01:46:40.300000Z",
                process__pid="2",
            ),
        ],
        "in order",
    ),
    "another process, and no line says when it was asked": (
        [
            *made_call("validate", 1, 2, process__pid="2"),
            *made_call("charge", 3, 4, process__pid="3"),
        ],
        "unknown",
    ),
    "another process, and it had not ended at all": (
        [
            *made_call("validate", 1, 5, process__pid="2"),
            *made_call("charge", 3, 4, process__pid="3"),
        ],
        "out of order",
    ),
    "sent by something that was no step": (
        [
            *made_call("validate", 1, 2),
            *sent("charge", 3, 900, 901, parent_call_id=None, parent_step=None),
        ],
        "unknown",
    ),
    "a clock with milliseconds": (
        [
            *made_call("charge", 3, 3, source="a.log"),
            *made_call("validate", 3, 3, source="b.log"),
        ],
        "unknown",
    ),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks(name: str) -> None:
    """Only the same clock decides, or that a call cannot end before it was sent."""
    lines, verdict = CLOCKS[name]

    assert (
        only([*RECEIVE, *lines], orders(validate="receive", charge="validate")).verdict
        == verdict
    )


def test_processes_that_do_not_say_where_they_are() -> None:
    """What was called by no message is in the process of its caller."""
    bare: dict[str, Any] = {"host__name": None, "process__pid": None}

    def spans(*, sent_at: str | None) -> list[StoredLine]:
        found = []
        for step, start, end in (
            ("receive", 0, 9),
            ("validate", 1, 2),
            ("charge", 3, 4),
        ):
            parent = {} if step == "receive" else {"parent_call_id": "span:receive"}
            fields = made_call(step, start, end, **bare)[1].fields
            fields |= {"call_id": f"span:{step}"}
            fields.pop("parent_call_id", None)
            fields |= parent
            if step == "charge" and sent_at:
                fields["sent_at"] = sent_at
            found.append(StoredLine(EPOCH_US + end * 1000, fields, is_span=True))
        return found

    assert only(spans(sent_at=None)).verdict == "in order"
    assert only(spans(sent_at="2001-09-09T01:46:40.003Z")).verdict == "in order"
    assert only(spans(sent_at="2001-09-09T01:46:40.001Z")).verdict == "out of order"


@pytest.fixture
def generators() -> None:
    """Load code in which ``load`` is a generator and ``parse`` is not."""
    declared = flow("orders")

    @declared.step
    def load() -> Iterator[int]:
        yield 1

    @declared.step
    def parse() -> None: ...


PIPE = orders(load="receive", parse="receive", store=("load", "parse"))


def below(step: str, **more: Any) -> list[StoredLine]:
    """Make a call of ``store`` in which another step begins."""
    inner = made_call(step, 2, 4, parent_call_id="id-store", **more)
    return [*RECEIVE, *made_call("store", 1, 9), *inner]


@pytest.mark.usefixtures("generators")
def test_a_generator_without_items() -> None:
    """It began inside the call that it is before, as one with items."""
    assert only(below("load"), PIPE).verdict == "in order"
    assert only(below("load", first_item_ms=1.0), PIPE).verdict == "in order"
    assert only(below("parse"), PIPE).verdict == "out of order"


def test_a_step_whose_code_is_not_loaded() -> None:
    """It may be a generator."""
    assert only(below("parse"), PIPE).verdict == "unknown"
    assert only(below("load", first_item_ms=1.0), PIPE).verdict == "in order"


def test_two_services_that_declare_one_flow() -> None:
    """Their steps count as one flow's; the first declaration of a step counts."""
    first, second = orders("shop", charge="receive"), orders("bank", ship="charge")
    lines = [*RECEIVE, *made_call("ship", 1, 2), *made_call("charge", 3, 4)]

    assert only(lines, first, second).verdict == "out of order"
    assert only(lines, second, first).edges == (("charge", "ship"),)
