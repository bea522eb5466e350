"""Operations of which something is missing."""

from __future__ import annotations

from penstock.runs.lines import StoredLine
from penstock.runs.trees import is_caller_missing, operations_of, walk
from tests.support.stored_lines import made_call, made_line

RECEIVE = made_call("receive", 0, 50)


def sent(step: str, ms: float, sender: str, **more: object) -> list[StoredLine]:
    """Make a run that a message of another service began."""
    own = {"run_id": f"id-{step}", "parent_call_id": sender, "host__name": "b"}
    return made_call(step, ms, ms + 1, **{**own, "parent_step": "sender", **more})


def steps(lines: list[StoredLine]) -> list[list[str]]:
    """Return the roots of each operation."""
    return [[call.step for call in one.roots] for one in operations_of(lines)]


def test_a_process_that_was_killed() -> None:
    """Its calls have no end; what it had sent goes on below them."""
    lines = [RECEIVE[0], made_call("charge", 1, 5)[0], *sent("ship", 9, "id-charge")]

    (operation,) = operations_of(lines)

    assert [call.step for call in operation.calls] == ["receive", "charge", "ship"]
    assert operation.gaps == ["2 calls without an end"]


def test_a_call_of_which_all_lines_are_lost() -> None:
    """What it called is a root of its own, after the entry."""
    lines = [*made_call("ship", -9, -8, parent_call_id="id-charge"), *RECEIVE]

    (operation,) = operations_of(lines)

    assert [call.step for call in operation.roots] == ["receive", "ship"]
    assert operation.gaps == ["1 call whose caller is missing"]
    assert is_caller_missing(operation.roots[1])


def test_a_service_without_lines() -> None:
    """Runs that the same call of it has caused are one operation, others are not."""
    assert steps([*sent("ship", 1, "id-a"), *sent("bill", 2, "id-a")]) == [
        ["ship", "bill"]
    ]
    assert steps([*sent("ship", 1, "id-a"), *sent("bill", 2, "id-b")]) == [
        ["ship"],
        ["bill"],
    ]


def test_what_a_missing_call_has_caused() -> None:
    """It belongs to the only operation with its root ID; of two, to neither."""
    lines = [*RECEIVE, *sent("ship", 1, "id-lost")]
    second = {"call_id": "id-2", "run_id": "id-2"}

    assert steps(lines) == [["receive", "ship"]]
    assert steps([*lines, *made_call("receive", 60, 61, **second)]) == [
        ["receive"],
        ["ship"],
        ["receive"],
    ]


def test_an_entrypoint_without_lines() -> None:
    """Its steps are one operation, which says so."""
    lines = [*made_call("charge", 1, 2), *made_call("ship", 3, 4)]

    (operation,) = operations_of(lines)

    assert operation.gaps == ["2 calls whose entrypoint is missing"]


def test_clocks_that_differ() -> None:
    """Times are shown as they are, and no call is moved to another caller."""
    early = sent("ship", -500, "id-receive", sent_at="2001-09-09T01:46:40.004Z")
    lines = [*RECEIVE, *early, *made_call("charge", 1, 2), *made_call("pack", 8, 9)]

    (operation,) = operations_of(lines)

    assert [call.step for call in operation.roots[0].children] == [
        "charge",
        "ship",
        "pack",
    ]
    ship = operation.roots[0].children[1]
    assert (ship.start_us or 0) < (operation.roots[0].start_us or 0)


def test_lines_that_make_a_circle() -> None:
    """Each call appears once, whatever foreign lines say."""
    lines = [
        *made_call("charge", 1, 2, parent_call_id="id-ship"),
        *made_call("ship", 1, 2, parent_call_id="id-charge"),
        *made_call("pack", 1, 2, parent_call_id="id-pack"),
        *made_call("send", 1, 2, parent_call_id="id-pack"),
    ]

    calls = [call for one in operations_of(lines) for call in one.calls]

    assert sorted(call.step for call in calls) == ["charge", "pack", "send", "ship"]
    doubts = [call.step for call in calls if call.doubts]
    assert len(doubts) == 2


def test_calls_without_any_time() -> None:
    """They come last."""
    lines = [
        StoredLine(None, made_call("charge", 1, 2)[0].fields),
        *made_call("ship", 3, 4),
        *RECEIVE,
    ]

    (operation,) = operations_of(lines)

    assert [call.step for call in operation.calls] == ["receive", "ship", "charge"]


def test_a_very_deep_operation() -> None:
    """Ten thousand calls, each made by the one before."""
    lines = [
        made_line(
            "start", "receive", number, call_id=f"id-{number}", parent_call_id=above
        )
        for number in range(10_000)
        for above in [f"id-{number - 1}" if number else None]
    ]

    (operation,) = operations_of(lines)

    assert len(operation.calls) == len(list(walk(operation.roots))) == 10_000
    assert operation.gaps == ["10000 calls without an end"]
