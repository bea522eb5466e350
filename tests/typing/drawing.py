"""Types of drawings: text, bytes or nothing, by format and output."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from penstock import conformance_report, generate_dag

assert_type(generate_dag("orders"), str)
assert_type(generate_dag(None), str)
assert_type(generate_dag(["orders", "billing"], direction="LR"), str)
assert_type(generate_dag("orders", "dot", None, True, "TB"), str)
assert_type(generate_dag("orders", format="json"), str)
assert_type(generate_dag("orders", format="svg", detail=True), str)
assert_type(generate_dag("orders", format="png"), bytes)
assert_type(generate_dag("orders", "png"), bytes)
assert_type(generate_dag("orders", evidence="runs.json"), str)
assert_type(generate_dag("orders", evidence=[Path("a.json"), {"flows": {}}]), str)
assert_type(generate_dag("orders", "png", evidence=conformance_report()), bytes)

nothing: None
nothing = generate_dag("orders", output="orders.md")
nothing = generate_dag("orders", "png", Path("orders.png"))
nothing = generate_dag("orders", format="png", output=Path("orders.png"))


def draw(form: str, output: Path | None) -> str | bytes | None:
    """Draw in a format that is known only at run time."""
    assert_type(generate_dag("orders", form), str | bytes)
    return assert_type(
        generate_dag("orders", form, output, detail=True), str | bytes | None
    )


generate_dag("orders", direction="DOWN")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
generate_dag(7)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
