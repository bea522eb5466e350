"""Print what happened: the parts, two operations by their IDs, the picture."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from penstock import generate_dag

from .store import Row

if TYPE_CHECKING:
    from pathlib import Path

    from .store import Store

    Line = dict[str, Any]

__all__ = ["tell"]

_SHOWN = 10
_ROW = "  {:<22.22} {:<12.12} {:<24.24} {:>5} {:>6} {:>8}  {:.16}"


def tell(store: Store, database: Path, log: Path) -> None:
    """Print the parts, the log lines of two operations, and where the picture is."""
    rows = store.table()
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    failed = [line for line in lines if line["message"].startswith("gave up on ")]
    print(
        f"Messages: {len(rows)} parts of this environment synced, {len(failed)} failed"
    )
    print(f"Database: {database}")
    print(f"Log:      {log} ({len(lines)} lines, each with its ID)")

    _heading("The parts")
    _print_table(rows)

    _heading("One message: its ID travels through database, threads, tasks and a queue")
    most = max(rows, key=lambda row: row.needs)
    upserted = f"upserted {most.name} "
    synced = next(line for line in lines if line["message"].startswith(upserted))
    _select(synced, lines, log)
    print(
        "\n  store.py, which does not use penstock, logs 'upserted'. The licence report"
    )
    print(
        "  is a run of its own, with an ID of its own. Its root_id is the operation's."
    )

    _heading(
        "The message that fails on purpose: one WARNING from penstock, where it failed"
    )
    for line in failed:
        _show(line, log)

    _heading("The flows, drawn from the decorators")
    for name in ("bom_sync", "licence_report") if _can_draw() else ():
        print(f"{name}\n\n{generate_dag(name, format='text')}\n")
    picture = database.with_suffix(".svg")
    generate_dag(None, detail=True, output=str(picture))
    print(f"All of them, to open in a browser: {picture}")


def _can_draw() -> bool:
    """Tell whether the terminal has the characters of boxes."""
    try:
        "╔╤▼╭".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _heading(text: str) -> None:
    print(f"\n== {text}\n")


def _print_table(rows: list[Row]) -> None:
    for row in (Row._fields, *rows[:_SHOWN]):
        print(_ROW.format(*row).rstrip())
    if len(rows) > _SHOWN:
        print(f"  ... and {len(rows) - _SHOWN} more in the table parts")


def _show(line: Line, log: Path) -> None:
    """Look back at the operation of *line*, as someone on call does."""
    if "short_id" not in line:
        print("  no IDs: PENSTOCK_DISABLED is set")
        return
    arguments = ("show", line["short_id"], str(log), "--logs")
    print(f"  $ penstock {' '.join(arguments)}\n", flush=True)
    targets = ("--target", "examples.bom_sync")
    subprocess.run(  # noqa: S603  # our own command; without penstock[cli] it says so
        [sys.executable, "-m", "penstock", *arguments, *targets], check=False
    )


def _select(line: Line, lines: list[Line], log: Path) -> None:
    """Print the lines of the operation that *line* belongs to."""
    root_id = line.get("root_id")
    if root_id is None:
        print("  no IDs: PENSTOCK_DISABLED is set")
        return
    print(f"  the lines of {log.name} with root_id {root_id}")
    for one in lines:
        if one.get("root_id") == root_id:
            label = f"{one.get('flow', '-')}/{one.get('step', '-')}"
            time, level = one["timestamp"][11:23], one["level"]
            print(f"  {time} {level[:4]} {label:<32} {one['message']}")
