"""What is said of the order of stored runs."""

from __future__ import annotations

from penstock.runs.lines import ReadCounts
from penstock.runs.order_counts import BrokenRuns, OrderCounts
from penstock.runs.output.order_text import order_lines, out_of_order, read_lines


def test_each_flow_and_the_worst_edges() -> None:
    """Runs by verdict, and the five edges that most runs broke."""
    counts = OrderCounts()
    counts.count_verdict("orders", "in order", 1_380_000)
    counts.count_verdict("orders", "unknown", 408)
    counts.count_verdict("billing", "in order", 1)
    for number in range(7):
        edge = "orders", f"b{number}", "ship"
        counts.broken[edge] = BrokenRuns(number + 1, "6028b718aaaa")
    counts.broken["orders", "", "ship"] = BrokenRuns(28, "6028b718aaaa")

    assert list(order_lines("logs/", counts)) == [
        (
            "logs/: 1,380,408 runs of orders: 1,380,000 in order, 0 out of order, 408 "
            "unknown."
        ),
        *(
            f"orders: ship after b{number}: out of order in less than 0.01 % of "
            f"1,380,408 runs ({number + 1}), for instance 6028b718."
            for number in (6, 5, 4, 3, 2)
        ),
        "orders: the same for 2 more edges.",
        "logs/: 1 run of billing: 1 in order, 0 out of order, 0 unknown.",
    ]


def test_flows_of_other_programs() -> None:
    """Logs of a whole system have flows that this program does not declare."""
    counts = OrderCounts(declared={"billing"})
    counts.count_verdict("orders", "unknown", 4)
    counts.count_verdict("billing", "unknown", 3)

    assert list(order_lines("logs/", counts)) == [
        "logs/: 4 runs of orders, which is not declared here.",
        "logs/: 3 runs of billing: 0 in order, 0 out of order, 3 unknown.",
    ]


def test_flows_without_end() -> None:
    """Names from the logs of strangers do not fill the screen."""
    counts = OrderCounts()
    for number in range(250):
        counts.count_verdict(str(number), "unknown", 1)

    *_, last = lines = list(order_lines("logs/", counts))
    assert (len(lines), last) == (101, "logs/: runs of 150 more flows.")


def test_shares() -> None:
    """A share has two decimals."""
    runs = BrokenRuns(1242, "6028b718aaaa")
    expected = "out of order in 0.09 % of 1,380,408 runs (1,242), for instance 6028b718"
    assert out_of_order(runs, 1_380_408) == expected
    assert out_of_order(BrokenRuns(), 0) == "out of order in none of 0 runs"


def test_what_was_left_out() -> None:
    """Sampling is said, and lines and files that were not read."""
    counts = ReadCounts(
        is_sampled=True, skipped={"cut": 1200}, unread={"logs/a": "no permission"}
    )

    assert list(read_lines("logs/", counts)) == [
        "logs/: these are the kept runs; others were dropped by sampling.",
        "logs/: 1,200 lines skipped: cut.",
        "logs/a: no permission.",
    ]
