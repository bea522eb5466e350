from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from penstock.runs.finding import find_operations
from penstock.runs.log_files import LogFiles

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000
START = 1_796_040_000 * SECOND
LINES = 20_000
PADDING = "x" * 1000


def line(seconds: int) -> bytes:
    """Return a line of a kilobyte; one of a hundred is of the wanted operation."""
    root = "other" if seconds % 100 else "root-1"
    entry = {"time": START // SECOND + seconds, "root_id": root, "message": PADDING}
    return json.dumps(entry).encode() + b"\n"


def written(path: Path, lines: list[bytes]) -> str:
    """Write a log, and return its path."""
    path.write_bytes(b"".join(lines))
    return str(path)


def times(path: str, since_s: float) -> list[float]:
    """Return the seconds of the lines that are found."""
    files = LogFiles([path], since_us=int(START + since_s * SECOND))
    found = find_operations(files, "root-1").get("root-1", [])
    return [(one.time_us - START) / SECOND for one in found if one.time_us is not None]


@pytest.mark.parametrize("since_s", [-100, 0, 7000.5, 19_990, 20_100])
def test_lines_since_a_time_are_found(tmp_path: Path, since_s: float) -> None:
    """They are the same lines as without skipping what is before."""
    path = written(tmp_path / "a.log", [line(n) for n in range(LINES)])

    assert times(path, since_s) == [n for n in range(0, LINES, 100) if n >= since_s]


def test_what_is_before_is_not_read(tmp_path: Path) -> None:
    """A line that would be counted as garbage is not, if it is far before."""
    garbage = b'{"root_id": "root-1"\n'
    lines = [line(n) for n in range(LINES)]
    path = written(tmp_path / "a.log", [*lines[:100], garbage, *lines[100:]])
    files = LogFiles([path], since_us=START + 15_000 * SECOND)

    find_operations(files, "root-1")

    assert files.counts.skipped == {}


@pytest.mark.parametrize(
    "lines",
    [
        [line(n % 10_000) for n in range(LINES)],  # two files, one after the other
        [line(LINES - n) for n in range(LINES)],
        [b"garbage " * 100 + b"\n"] * 200 + [line(n) for n in range(LINES)],
        [line(n) for n in range(LINES)] + [b"garbage " * 100 + b"\n"] * 200,
        [line(n) for n in range(100)],
    ],
    ids=["concatenated", "backwards", "no first time", "no last time", "small"],
)
def test_other_files_are_read_whole(tmp_path: Path, lines: list[bytes]) -> None:
    """Nothing is skipped where the times are not in order, or not there."""
    path = written(tmp_path / "a.log", lines)
    files = LogFiles([path])
    found = find_operations(files, "root-1")["root-1"]
    since = 50.0
    expected = [
        one.time_us for one in found if (one.time_us or 0) >= START + 50 * SECOND
    ]

    assert len(times(path, since)) == len(expected)


def test_lines_may_be_a_little_out_of_order(tmp_path: Path) -> None:
    """Services that share a file are seconds apart; long lines without a time, too."""
    late = [n + (n % 7) * 8 for n in range(LINES)]
    lines = [line(n) for n in late]
    lines[10_000:10_000] = [b"traceback " * 40_000 + b"\n"]
    path = written(tmp_path / "a.log", lines)

    assert times(path, 12_000) == [n for n in late if n >= 12_000 and n % 100 == 0]


def test_spans_are_in_no_order(tmp_path: Path) -> None:
    """A collector's file is read whole, and so is what is packed."""
    span = {
        "traceId": "0a" * 16,
        "spanId": "0b" * 8,
        "name": "x" * 1000,
        "startTimeUnixNano": f"{START}000",
        "endTimeUnixNano": f"{START}000",
        "attributes": [{"key": "penstock.root_id", "value": {"stringValue": "root-1"}}],
    }
    entry = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    data = json.dumps(entry).encode() + b"\n"
    other = data.replace(b"root-1", b"root-2")
    path = written(tmp_path / "a.log", [data, *[other] * LINES])

    assert times(path, 0) == [0.0]
