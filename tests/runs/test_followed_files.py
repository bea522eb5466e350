from __future__ import annotations

import gzip
import io
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock.errors import LogSourceError
from penstock.runs import followed_files
from penstock.runs.finding import follow_operations
from penstock.runs.log_files import LogFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.runs.lines import StoredLine

ROOT = "a1" * 16


def line(message: str, **fields: str) -> bytes:
    """Return a line of the operation."""
    return json.dumps({"root_id": ROOT, "message": message, **fields}).encode() + b"\n"


def append(path: Path, data: bytes) -> None:
    """Write at the end of a file."""
    with path.open("ab") as file:
        file.write(data)


def take(lines: Iterator[StoredLine], count: int) -> list[str]:
    """Wait for some lines, and return their messages."""
    return [next(lines).fields["message"] for _ in range(count)]


def test_lines_that_come_are_found(tmp_path: Path) -> None:
    """What is there comes first; a line comes when it is complete."""
    path = tmp_path / "app.log"
    path.touch()
    (tmp_path / "old.gz").write_bytes(gzip.compress(line("packed")))
    lines = follow_operations(LogFiles([str(tmp_path)]), ROOT)

    assert take(lines, 1) == ["packed"]
    append(path, line("one") + line("two") + line("three")[:20])
    assert take(lines, 2) == ["one", "two"]
    append(path, line("three")[20:])
    assert take(lines, 1) == ["three"]
    lines.close()  # type: ignore[attr-defined]  # a generator


def test_rotated_files_are_followed(tmp_path: Path) -> None:
    """By renaming, with a last line after it; by truncating; and into a new file."""
    path = tmp_path / "app.log"
    path.write_bytes(line("one"))
    lines = follow_operations(LogFiles([str(path)]), ROOT)
    assert take(lines, 1) == ["one"]

    append(path, line("two"))
    old = path.rename(tmp_path / "app.log.1")
    append(old, line("three"))
    assert take(lines, 2) == ["two", "three"]
    threading.Timer(0.5, path.write_bytes, [line("four") + b"x" * 500]).start()
    assert take(lines, 1) == ["four"]
    path.write_bytes(line("five"))
    assert take(lines, 1) == ["five"]


def rotate(path: Path) -> tuple[Iterator[StoredLine], Path]:
    """Rename a file that is followed and write a new one; return lines and old file."""
    path.write_bytes(line("one"))
    lines = follow_operations(LogFiles([str(path)]), ROOT)
    assert take(lines, 1) == ["one"]
    old = path.rename(f"{path}.1")
    path.write_bytes(line("two"))
    assert take(lines, 1) == ["two"]
    return lines, old


def test_a_renamed_file_is_read_while_a_program_writes_to_it(tmp_path: Path) -> None:
    """Programs open the new file when logrotate tells them, which is later."""
    path = tmp_path / "app.log"
    lines, old = rotate(path)

    append(old, line("three"))
    threading.Timer(1.5, append, [path, line("end")]).start()
    assert take(lines, 1) == ["three"]


def test_a_renamed_file_is_left_when_nothing_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that are written to it after that are not read."""
    monkeypatch.setattr(followed_files, "_KEEPS_S", 0.3)
    path = tmp_path / "app.log"
    lines, old = rotate(path)

    threading.Timer(1.5, append, [path, line("three")]).start()
    assert take(lines, 1) == ["three"]
    append(old, line("late"))
    threading.Timer(0.5, append, [path, line("end")]).start()
    assert take(lines, 1) == ["end"]


def test_rotation_in_a_folder_gives_no_line_twice(tmp_path: Path) -> None:
    """Renamed files are known, and what is packed later was read before."""
    path, old = tmp_path / "app.log", tmp_path / "app.log.1"
    path.write_bytes(line("two"))
    old.write_bytes(line("one"))
    lines = follow_operations(LogFiles([str(tmp_path)]), ROOT)
    assert take(lines, 2) == ["two", "one"]

    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    path.rename(old)
    path.write_bytes(line("three"))
    assert take(lines, 1) == ["three"]
    (tmp_path / "new.log").write_bytes(line("four"))
    assert take(lines, 1) == ["four"]


def test_ids_are_learned_while_lines_come(tmp_path: Path) -> None:
    """An ID that no line has yet may appear, and a trace that it is part of, too."""
    path = tmp_path / "app.log"
    path.write_bytes(b"nothing\n")
    files = LogFiles([str(path)])
    lines = follow_operations(files, "b2b2")

    timer = threading.Timer(0.5, append, [path, line("in it", correlation_id="b2b2")])
    timer.start()
    assert take(lines, 1) == ["in it"]
    append(path, line("of the root", trace_id="t-1"))
    assert take(lines, 1) == ["of the root"]
    append(path, json.dumps({"message": "of the trace", "trace_id": "t-1"}).encode())
    append(path, b"\n" + line("again"))
    assert take(lines, 2) == ["of the trace", "again"]
    assert files.counts.hits == 4


def test_a_longer_id_does_not_come_in_between(tmp_path: Path) -> None:
    """``order-17`` is not ``order-1``, which is there."""
    path = tmp_path / "app.log"
    path.write_bytes(b'{"root_id": "order-1", "message": "one"}\n')
    lines = follow_operations(LogFiles([str(path)]), "order-1")
    assert take(lines, 1) == ["one"]

    append(path, b'{"root_id": "order-17", "message": "no"}\n')
    append(path, b'{"root_id": "order-1", "message": "two"}\n')
    assert take(lines, 1) == ["two"]


def test_an_interrupt_ends_it_quietly(tmp_path: Path) -> None:
    """Control and C is how a user stops it."""
    path = tmp_path / "app.log"
    path.write_bytes(line("one"))
    lines = follow_operations(LogFiles([str(path)]), ROOT)
    assert take(lines, 1) == ["one"]

    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    assert list(lines) == []


def test_stdin_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are found from where one has the ID."""
    parts = line("x"), line("one", correlation_id="b2b2"), line("two")
    data = io.BytesIO(b"".join(parts))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))

    lines = list(follow_operations(LogFiles(["-"]), "b2b2"))

    assert [one.fields["message"] for one in lines] == ["one", "two"]


def test_stdin_is_followed_alone(tmp_path: Path) -> None:
    """Waiting for one would keep the other one waiting."""
    (tmp_path / "app.log").touch()

    with pytest.raises(LogSourceError, match="cannot be followed together"):
        list(follow_operations(LogFiles(["-", str(tmp_path)]), ROOT))


def test_files_that_cannot_be_read_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are followed. As root may read everything, opening is made to fail."""
    open_path = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "secret.log":
            raise PermissionError(13, "Permission denied", str(path))
        return open_path(path, *args, **options)

    path = tmp_path / "app.log"
    path.write_bytes(line("one"))
    (tmp_path / "x.bz2").write_bytes(b"BZh91AY")
    files = LogFiles([str(tmp_path)])
    lines = follow_operations(files, ROOT)

    assert take(lines, 1) == ["one"]
    (tmp_path / "secret.log").write_bytes(line("secret"))
    monkeypatch.setattr(Path, "open", refuse)
    threading.Timer(1.5, append, [path, line("two")]).start()
    assert take(lines, 1) == ["two"]
    assert {Path(at).name for at in files.counts.unread} == {"x.bz2", "secret.log"}
