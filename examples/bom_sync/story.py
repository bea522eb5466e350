"""Print what happened: the parts, two operations by their IDs, the diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import generate_dag

from .store import Row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .store import Store

__all__ = ["LOG_FORMAT", "tell"]

LOG_FORMAT = (
    "%(asctime)s.%(msecs)03d %(levelname).4s %(correlation_id).8s "
    "%(step)-20s %(message)s"
)
_SHOWN = 10
_ROW = "  {:<22.22} {:<12.12} {:<24.24} {:>5} {:>6} {:>8}  {:.16}"


def tell(store: Store, database: Path, log: Path) -> None:
    """Print the parts, the log lines of two operations, and the diagrams."""
    rows = store.table()
    lines = log.read_text(encoding="utf-8").splitlines()
    failed = [line for line in lines if " gave up on " in line]
    print(
        f"Messages: {len(rows)} parts of this environment synced, {len(failed)} failed"
    )
    print(f"Database: {database}")
    print(f"Log:      {log} ({len(lines)} lines, each with its ID)")

    _heading("The parts")
    _print_table(rows)

    _heading("One message: its ID travels through database, threads, tasks and a queue")
    most = max(rows, key=lambda row: row.needs)
    synced = next(line for line in lines if f" upserted {most.name} " in line)
    _grep(_id_of(synced), lines, log)
    print(
        "\n  store.py, which does not use penstock, logs 'upserted'. The licence report"
    )
    print(
        "  is a separate run with its own ID. Its first line is here because it names"
    )
    print("  the run that started it.")

    _heading(
        "The message that fails on purpose: one WARNING from penstock, where it failed"
    )
    for line in failed:
        _grep(_id_of(line), lines, log)

    _heading("The flows, drawn from the decorators")
    for name in ("bom_sync", "licence_report"):
        print(f"{name}\n\n{generate_dag(name, format='text')}\n")
    print("and the whole system, as Mermaid\n")
    print(generate_dag(None))


def _heading(text: str) -> None:
    print(f"\n== {text}\n")


def _print_table(rows: list[Row]) -> None:
    for row in (Row._fields, *rows[:_SHOWN]):
        print(_ROW.format(*row).rstrip())
    if len(rows) > _SHOWN:
        print(f"  ... and {len(rows) - _SHOWN} more in the table parts")


def _id_of(line: str) -> str:
    return line.split()[2]


def _grep(text: str, lines: Iterable[str], log: Path) -> None:
    if text == "-":
        print("  no IDs: PENSTOCK_DISABLED is set")
        return
    print(f"  $ grep {text} {log.name}")
    for line in lines:
        if text in line:
            print(f"  {line}")
