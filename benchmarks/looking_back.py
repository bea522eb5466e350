"""Measure ``penstock show`` on large logs, next to ripgrep.

    python -m benchmarks.stored_runs /tmp/logs
    python -m benchmarks.looking_back /tmp/logs

Each way of reading is timed in turn with ripgrep, and the ratio of the smallest times
counts. The files are read once before, so that both find them in memory if they fit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from .report import Row, results

__all__ = ["rows"]

ROUNDS = 3
ONE_FILE, SEVERAL_FILES = 3.0, 5.0


def rows(folder: Path) -> list[Row]:
    """Return the times of ``show`` as multiples of ripgrep's, and its memory."""
    logs = sorted(map(str, folder.glob("*.log")))
    truth = json.loads((folder / "truth.json").read_text())
    root = list(truth["broken"])[len(truth["broken"]) // 2]
    one = str(folder / "shop.log")
    packed = _packed(folder)
    found = [
        _compared("one plain file", root, [one], limit=ONE_FILE),
        _compared("three plain files", root, logs, limit=SEVERAL_FILES),
        _compared("one gz file", root, [packed], search=["-z"]),
        _compared("stdin", root, [one], is_stdin=True),
    ]
    return [row for pair in found for row in pair]


def _compared(
    what: str,
    root: str,
    paths: list[str],
    *,
    limit: float | None = None,
    search: list[str] | None = None,
    is_stdin: bool = False,
) -> tuple[Row, Row]:
    rg = ["rg", "--no-config", "--count", *(search or []), root]
    show = [sys.executable, "-m", "penstock", "show", root, "--format", "json"]
    rg += ["-"] if is_stdin else paths
    show += ["-"] if is_stdin else paths
    file = paths[0] if is_stdin else os.devnull
    times: dict[str, list[float]] = {"rg": [], "show": []}
    memory = 0
    for _ in range(ROUNDS):
        times["rg"].append(_timed(rg, file)[0])
        seconds, peak = _timed(show, file)
        times["show"].append(seconds)
        memory = max(memory, peak)
    ratio = min(times["show"]) / min(times["rg"])
    size = sum(map(os.path.getsize, paths)) / 1e6
    note = f"{min(times['show']):.1f} s for {size:,.0f} MB"
    return (
        Row(f"show, {what}", ratio, limit, "rg", note),
        Row(f"show, {what}: memory", memory / 1e6, 1000.0, "MB"),
    )


def _timed(command: list[str], file: str) -> tuple[float, int]:
    """Return the seconds that *command* takes with *file* as stdin, and its bytes."""
    began = perf_counter()
    with Path(file).open("rb") as stdin, Path(os.devnull).open("wb") as null:
        process = subprocess.Popen(command, stdin=stdin, stdout=null, stderr=null)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = perf_counter() - began
    if process.returncode:
        msg = f"{command[0]} exited with {process.returncode}"
        raise RuntimeError(msg)
    return seconds, usage.ru_maxrss * 1024


def _packed(folder: Path) -> str:
    """Return one file packed with gzip, made when it is first needed."""
    path = folder / "mail.log.gz"
    if not path.exists():
        with (folder / "mail.log").open("rb") as log, gzip.open(path, "wb", 6) as out:
            shutil.copyfileobj(log, out)
    return str(path)


def main() -> None:
    """Print the table for the logs in a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    print(results(rows(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
