"""The tree of an operation as text."""

from __future__ import annotations

import re

import pytest

from penstock.renderers.terminal.canvas import width_of
from penstock.runs.operation import Operation, OrderJudgement, StoredCall
from penstock.runs.output.facts import Shown
from penstock.runs.output.text import as_text, ended_line
from tests.support.operations import BEGIN_US, at, call, line, operation, shop_operation

HOSTILE = "x\x1b]0;title\x07\x9b31m\r\nstep.end\u202e\ud800"

WHOLE = """\
operation  4711abcd9f0e4b1c8d2e3f4a5b6c7d8e
when       2026-11-30T10:15:02.123456Z, at least 791 ms in all
outcome    no end of shipping/parcel (shipping)
calls      13 calls in shop, billing, shipping
failed     billing/capture (billing): CardError, ok when billing/pay was called again
missing    2 calls without an end
clocks     3 hosts, each with its own clock
order      orders: in order (2 runs)
           billing: unknown, because lines are missing
           shipping: out of order: one; two

orders/receive (shop)                                           731 ms  ━━━━━━━━━━━━━━
├─ orders/lines  first item after 0.9 ms                        5.0 ms  ━
│  ├─ orders/price                                              0.5 ms  ━
│  └─ orders/price                                              0.5 ms  ━
├─ billing/pay (billing)  ✗ CardError                           218 ms   ━━━━━
│  ├─ billing/reserve                                          25.0 ms   ━━
│  └─ billing/capture  ✗ CardError                              179 ms    ━━━━
├─ billing/pay (billing)  call 2 after a failure                288 ms         ━━━━━━━
│  └─ billing/reserve                                          15.0 ms         ━━
└─ orders/ship                                                 19.0 ms               ━
   └─ shipping/parcel (shipping)  sent 48.0 ms before  [1]      no end                ━?
      ├─ shipping/label  out of order                          25.0 ms                ━
      └─ shipping/pick                                          no end                ━?

[1] two calls of orders/ship were open, so it may belong to the other"""


def text_of(shown: Operation, *judgements: OrderJudgement, width: int = 0) -> str:
    """Return *shown* as text."""
    return as_text(Shown([shown], {shown: judgements}), width)


def tree_of(*roots: object, width: int = 0) -> list[str]:
    """Return the lines of the tree, without what is above and below it."""
    shown = operation(*roots)  # type: ignore[arg-type]  # calls
    return text_of(shown, width=width).split("\n\n")[1].splitlines()


def test_an_operation() -> None:
    """What is known comes first, then each call with its time, bar and marks."""
    shown = shop_operation()
    label = shown.calls[-2]
    judgements = [
        OrderJudgement("orders", "a", "in order"),
        OrderJudgement("orders", "b", "in order"),
        OrderJudgement("billing", "c", "unknown", ("lines are missing",)),
        OrderJudgement("shipping", "d", "out of order", ("one", "two"), calls=(label,)),
    ]

    assert text_of(shown, *judgements, width=88) == WHOLE


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_width_of_a_terminal(width: int) -> None:
    """Lines fit the terminal; what is too long for its column has its own line."""
    text = text_of(shop_operation(), width=width)

    assert all(width_of(one) <= width for one in text.splitlines()[:-1])
    assert text.count("━") > 10


def test_a_bar_is_as_long_as_its_call() -> None:
    """The line about a start may take long to write, after its time was taken."""
    tree = tree_of(call("f/a", 0, 100, call("f/b", 10, 100, duration_ms=1.0)))

    assert tree[1].endswith("  1.0 ms  " + " " * 38 + "━━")


def test_many_marks() -> None:
    """Marks take as many lines as they need."""
    doubtful = call("f/b", 0, 1, doubts=[f"doubt {n}" for n in range(20)])
    tree = tree_of(call("f/a", 0, 1, doubtful), width=60)

    assert [line.split()[::10] for line in tree[2:]] == [["[1]", "[11]"], ["[12]"]]


def test_other_lines() -> None:
    """With logs, other lines are below their call, between the calls it made."""
    inner = call("f/b", 10, 20)
    shown = operation(
        call("f/a", 0, 30, inner, lines=[line(5, "early"), line(25, "late")]),
        lines=[line(None, "a\nb", level="", logger="")],
    )
    shown.calls[1].lines = [line(15, "within", level="ERROR")]
    failed = {"exception.type": "KeyError", "exception.message": "A-1"}
    failed["exception.stacktrace"] = "Traceback:\n  File \x1b"
    shown.calls[1].lines[0].extra.update(failed)
    structlog = {"exception": "Traceback:\n  File 2", "exc_info": True}
    shown.lines[0].extra.update(structlog)
    text = as_text(Shown([shown], with_logs=True))

    assert (
        re.sub(" +[0-9.]+ ms.*", "", text.split("\n\n", 1)[1])
        == """\
f/a
│  10:15:02.128 INFO shop: early
├─ f/b
│     10:15:02.138 ERROR shop: within: KeyError: A-1
│       Traceback:
│         File \\x1b
│  10:15:02.148 INFO shop: late

Lines of this operation outside its calls:
   : a\\nb
     Traceback:
       File 2"""
    )
    assert "within" not in text_of(shown)


def test_lines_without_calls() -> None:
    """An operation without steps, such as a request that was refused, has lines."""
    shown = Operation("r", lines=[line(1, "422")])

    assert text_of(shown).endswith("\n\n1 line outside the steps: add --logs")
    assert "--logs" not in as_text(Shown([shown], with_logs=True))


def test_order_is_unknown() -> None:
    """Without verdicts the text says why there are none."""
    shown = operation(call("f/a"))

    assert "order      unknown, because no run of a flow is stored\n" in text_of(shown)
    assert "order      unknown, because why\n" in as_text(
        Shown([shown], without_order="why")
    )


def test_incomplete_operations() -> None:
    """No entry, no start, no end, no time and no call at all are said as they are."""
    lost = call("f/a", None, 5, call("f/b", None, None), parent_call_id="gone")
    text = text_of(operation(lost, call("f/c", 5, None)))

    assert "outcome    no end of f/c\n" in text
    assert "outcome    ok (f/a, whose caller is missing)\n" in text_of(operation(lost))
    assert re.findall(r"no (?:start|end)(?! of).*", text) == [
        "no start  ?━",
        "no end",
        "no end  ━?",
    ]
    assert text_of(Operation("r")) == (
        "operation  r\ncalls      0 calls\n"
        "order      unknown, because no run of a flow is stored\n"
    )


def test_failures_are_counted() -> None:
    """The innermost failures are named once each, ten at most."""
    failed = {"outcome": "error", "error_type": "KeyError"}
    same = [call("f/same", 0, 1, **failed) for _ in range(3)]
    others = [call(f"f/s{n}", 0, 1, outcome="error") for n in range(12)]
    text = text_of(operation(call("f/a", 0, 9, *same, *others, **failed)))

    assert "outcome    error: KeyError\n" in text
    assert "failed     f/same: KeyError, 3 times\n           f/s0: error\n" in text
    assert "           … and 3 more\n" in text


FAILED = {"outcome": "error", "error_type": "KeyError"}
SENT = {"sent_at_us": BEGIN_US}
WEB = {"host": "web", "process": "7"}


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        # Its caller may have handled it, here or in another service, by its response.
        ([call("f/b", 1, 2, **FAILED)], "ok"),
        ([call("f/b", 1, 2, call("f/c", 3, 4, **FAILED))], "ok"),
        ([call("f/b", 1, 9.005, **FAILED)], "ok"),
        ([call("f/b", 7, 11, **FAILED, **WEB)], "ok"),
        ([call("f/b", None, None)], "ok"),
        ([call("f/b", 1, None)], "ok"),
        ([call("f/b", 1, None, call("f/c", 2, 12, **FAILED))], "ok"),
        ([call("f/b", 1, 2, **SENT, outcome="cancelled")], "ok"),
        # Nothing waits for what a message brings, nor for what outlives its callers.
        ([call("f/b", 1, 2, **SENT, **FAILED)], "error: KeyError in f/b"),
        ([call("f/b", 12, 13, **FAILED)], "error: KeyError in f/b"),
        ([call("f/b", 8, 12, **FAILED)], "error: KeyError in f/b"),
        ([call("f/b", 1, 2, call("f/c", 11, 12, **FAILED))], "error: KeyError in f/c"),
        (
            [call("f/b", 11, 15, **SENT, **WEB, service="w", outcome="error")],
            "error in f/b (w)",
        ),
        ([call("f/b", 11, 15, call("f/c", 12, 13, **FAILED), **SENT)], "ok"),
        ([call("f/b", 11, None, **SENT)], "no end of f/b"),
        ([call("f/b", 11, None)], "no end of f/b"),
        (
            [call("f/b", 11, None), call("f/c", 12, 13, **FAILED)],
            "error: KeyError in f/c",
        ),
        # A redelivered message was ok in the end.
        ([call("f/b", 11, 12, **SENT, **FAILED), call("f/b", 13, 14, **SENT)], "ok"),
    ],
)
def test_the_outcome_is_that_of_the_operation(
    entry: list[StoredCall], outcome: str
) -> None:
    """What nothing waited for decides, even if the entry was ok."""
    shown = operation(call("f/a", 0, 9, *entry))

    assert f"outcome    {outcome}\n" in text_of(shown)
    assert f"  {outcome} " in as_text(Shown([shown, operation(call("f/a"))]))


def test_a_failed_entry_decides() -> None:
    """Before what came after it."""
    late = call("f/b", 12, 13, **{**FAILED, "error_type": "OSError"})

    assert "outcome    error: KeyError\n" in text_of(
        operation(call("f/a", 0, 9, late, **FAILED))
    )


def test_outcomes() -> None:
    """An outcome that is no failure is a mark, unless it is usual."""
    outcomes = ("ok", "closed", "cancelled", "retry", "error")
    calls = [call(f"f/{name}", 0, 1, outcome=name) for name in outcomes]

    assert [re.split(" +", one)[2] for one in tree_of(call("f/a", 0, 1, *calls))][
        1:
    ] == [
        "1.0",
        "1.0",
        "cancelled",
        "retry",
        "✗",
    ]


def test_messages_by_two_clocks() -> None:
    """A message that seems to arrive before it was sent is shown as it is."""
    (_, early) = tree_of(call("f/a", 0, 9, call("f/b", 5, 6, sent_at_us=at(8))))

    assert "sent 3.0 ms later by the sender's clock" in early


def test_absurd_times() -> None:
    """A number that no calendar has raises nothing."""
    shown = operation(call("f/a", -1e15, 1e20))

    assert "when       1970-01-01T00:00:00.000000Z, " in text_of(shown)
    assert ended_line(shown.roots[0]).startswith("23:59:59.000  f/a  ")


def test_skewed_clocks() -> None:
    """The time is that of the entry; no call is moved by another's clock."""
    shown = operation(call("f/a", 0, 9, call("f/b", -500, -490, host="b"), host="a"))
    text = text_of(shown)

    assert "when       2026-11-30T10:15:02.123456Z, 509 ms in all\n" in text
    assert "clocks     2 hosts, each with its own clock\n" in text


def test_long_loops_are_folded() -> None:
    """More than twenty calls that look the same are one line, those below them too."""
    laps = [call("f/b", n, n + n / 10, call("f/c", n, n + 0.1)) for n in range(250)]
    odd = call("f/b", 300, 301)
    tree = tree_of(call("f/a", 0, 400, *laps, odd))

    assert [one.partition("f/")[0] for one in tree] == ["", "├─ ", "│  └─ ", "└─ "]
    assert re.split("  +", tree[1])[1:3] == [
        "× 250, p50 12.4 ms, max 24.9 ms",
        "274 ms",
    ]
    assert len(tree_of(call("f/a", 0, 400, *laps[:20]))) == 41


def test_folded_calls_without_end() -> None:
    """They are counted, and no duration is made up."""
    tree = tree_of(call("f/a", 0, 400, *[call("f/b", n, None) for n in range(21)]))

    assert re.split("  +", tree[1])[1:3] == ["× 21", "no end"]


def test_calls_out_of_order_are_never_folded() -> None:
    """Neither are those with other lines, if these are shown."""
    laps = [call("f/b", n, n + 1) for n in range(30)]
    laps[3].lines = [line(3, "here")]
    shown = operation(call("f/a", 0, 400, *laps))
    broken = OrderJudgement("f", "r", "out of order", calls=(laps[7],))

    assert text_of(shown, broken).count("f/b") == 2
    assert as_text(Shown([shown], {shown: [broken]}, with_logs=True)).count("f/b") == 3


def test_ten_thousand_calls_are_drawn() -> None:
    """The others are counted."""
    kinds = [call(f"f/s{n}", n, n + 1) for n in range(12_000)]
    tree = tree_of(call("f/a", 0, 12_000, *kinds))

    assert len(tree) == 10_001
    assert tree[-1] == "… and 2,001 more calls"


def test_deep_chains() -> None:
    """Below some depth the lines say how deep they are, for there is no room."""
    deepest = call("f/s", 0, 1)
    for _ in range(10_000):
        deepest = call("f/s", 0, 1, deepest)
    tree = tree_of(deepest, width=60)

    assert tree[6].startswith(f"{' ' * 15}└─ f/s  ")
    assert tree[7].startswith("[7] f/s  ")
    assert max(map(len, tree)) <= 60


def test_several_operations() -> None:
    """They are listed with what tells them apart."""
    failed = call("orders/receive", 0, 5, outcome="error", error_type="KeyError")
    one, two = operation(failed), operation(call("a/b", 5, None, call("a/c")))
    failed.run_id, two.roots[0].run_id = "run-1", ""

    one.root_id = two.root_id = "r2"

    listed = as_text(Shown([one, two, Operation("r3")])).splitlines()

    assert listed[0] == "3 operations. To see one, name its run ID."
    assert [re.split("  +", row) for row in (listed[2], *listed[4:])] == [
        ["run ID", "start", "entry", "outcome", "calls"],
        [
            "run-1",
            "2026-11-30T10:15:02.123456Z",
            "orders/receive",
            "error: KeyError",
            "1",
        ],
        ["r2", "2026-11-30T10:15:02.123456Z", "a/b", "no end", "2"],
        ["r3", "(time unknown)", "(no call)", "0"],
    ]


def test_several_operations_with_ids_of_their_own() -> None:
    """They are listed by the short ID that log lines and `penstock runs` show."""
    found = [operation(call("orders/receive", 0, 5)) for _ in range(2)]
    found[0].root_id, found[1].root_id = "a3f1" * 8, "b7c2" * 8

    listed = as_text(Shown(found)).splitlines()

    assert listed[0] == "2 operations. To see one, name its ID."
    assert [row.split()[0] for row in (listed[2], *listed[4:])] == [
        "ID",
        "a3f1a3f1",
        "b7c2b7c2",
    ]


def test_parts_of_an_operation() -> None:
    """Where the log of the first service is missing, the list says so."""
    parts = [operation(call(f"f/{n}", parent_call_id="c-9")) for n in range(2)]

    listed = as_text(Shown([*parts, operation(call("f/a"))])).splitlines()

    assert listed[1] == (
        "Of 2, the caller is missing: they may be parts of one operation."
    )


def test_calls_that_are_ok_when_called_again() -> None:
    """A failure that a later call made good does not read like one that stays."""

    def failed(label: str, at_ms: int) -> StoredCall:
        return call(label, at_ms, at_ms + 1, outcome="error", error_type="OSError")

    entry = call(
        "f/entry",
        0,
        9,
        *(failed("f/twice", 1), failed("f/twice", 2), call("f/twice", 3, 4)),
        *(call("f/later", 5, 6), failed("f/later", 7)),
    )

    assert (
        "failed     f/twice: OSError, 2 times, ok when called again\n"
        "           f/later: OSError\n"
    ) in text_of(operation(entry))


def test_a_duration_in_a_line_counts() -> None:
    """The times of the lines may be coarse, lost, or by a clock that was set back."""
    root = call(
        "f/root",
        0,
        9,
        call("f/coarse", 1, 1, duration_ms=0.4),
        call("f/set_back", 8, 3, duration_ms=2.0),
        call("f/lost", None, None, duration_ms=7.0, outcome="ok"),
        call("f/unknown", 5, None, outcome="ok"),
        call("f/back", 8, 3),
    )

    tree = as_text(Shown([operation(root)])).splitlines()[6:]

    assert [" ".join(re.sub("[━?│├└─]", "", row).split()) for row in tree[1:]] == [
        "f/coarse 0.4 ms",
        "f/set_back 2.0 ms",
        "f/lost 7.0 ms",
        "f/unknown",
        "f/back -5.0 ms",
    ]


def test_ended_calls() -> None:
    """A call is one line when it has ended, with its outcome unless that is ok."""
    failed = {"outcome": "error", "error_type": "KeyError", "service": "shop"}

    assert ended_line(call("f/a", 0, 5)) == "10:15:02.128  f/a  5.0 ms"
    assert ended_line(call("f/a", None, 5, **failed)) == (
        "10:15:02.128  f/a (shop)  error: KeyError"
    )


def test_hostile_names() -> None:
    """No name, message or reason controls a terminal, or begins a line."""
    bad = call(
        f"{HOSTILE}/{HOSTILE}",
        0,
        1,
        service=HOSTILE,
        outcome="error",
        error_type=HOSTILE,
        doubts=[HOSTILE],
        lines=[line(0, HOSTILE, level=HOSTILE, logger=HOSTILE)],
    )
    odd = call("f/b", 0, 1, outcome=HOSTILE)
    shown = operation(bad, odd, gaps=[HOSTILE], root_id=HOSTILE)
    judgement = OrderJudgement(HOSTILE, "", "out of order", (HOSTILE,))
    whole = Shown([shown], {shown: [judgement]}, with_logs=True)
    texts = [as_text(whole), as_text(whole, 60), as_text(Shown([shown, shown]))]

    for text in texts:
        assert text.replace("\n", "").isprintable()
        assert not re.search("^ *step.end", text, re.MULTILINE)


def test_footnotes_are_few() -> None:
    """The same doubt is one footnote, and after ten they are counted."""
    calls = [call(f"f/s{n}", 0, 1, doubts=[f"doubt {n}", "same"]) for n in range(11)]
    notes = text_of(operation(*calls)).split("\n\n")[2].splitlines()

    assert notes[:2] == ["[1] doubt 0", "[2] same"]
    assert notes[-1] == "… and 2 more"


def test_colours() -> None:
    """Failures, doubts and names of operations have styles, outside of all widths."""
    styles: set[str] = set()

    def paint(text: str, style: str) -> str:
        styles.add(style)
        return f"<{text}>" if style else text

    shown = Shown([shop_operation()])
    painted = as_text(shown, 88, paint)

    assert styles == {"", "bad", "doubtful", "bold", "dim"}
    assert re.sub("[<>]", "", painted) == as_text(shown, 88)


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0.04, "0.0 ms"),
        (99.9, "99.9 ms"),
        (812, "812 ms"),
        (1240, "1.24 s"),
        (123_000, "2 min 3 s"),
        (11_520_000, "3 h 12 min"),
    ],
)
def test_durations(ms: float, words: str) -> None:
    """A duration has the unit that fits."""
    assert f" {words} " in tree_of(call("f/a", 0, ms))[0]
