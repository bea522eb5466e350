from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from penstock.errors import LogSourceError
from penstock.runs.finding import find_operations
from penstock.runs.log_files import LogFiles

ROOT = "a1" * 16


def line(message: str, **fields: str) -> bytes:
    """Return a line of the operation."""
    return json.dumps({"root_id": ROOT, "message": message, **fields}).encode() + b"\n"


def messages(files: LogFiles, wanted: str = ROOT) -> list[str]:
    """Return the messages of the operation."""
    found = find_operations(files, wanted).get(ROOT, [])
    return [one.fields["message"] for one in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with logs."""
    (tmp_path / "b.log").write_bytes(line("b") + b"x\n")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.log.gz").write_bytes(gzip.compress(line("a")))
    (tmp_path / "empty.log").touch()
    return tmp_path


def test_files_folders_and_patterns_are_read(folder: Path) -> None:
    """Each file once, however often it is named; the source is the path."""
    files = LogFiles([str(folder / "b.log"), str(folder), f"{folder}/**/*.gz"])

    (lines,) = find_operations(files, ROOT).values()

    assert [one.source for one in lines] == [
        str(folder / "b.log"),
        str(folder / "old" / "a.log.gz"),
    ]
    assert (files.counts.files, files.counts.hits) == (3, 2)
    assert (files.counts.skipped, files.counts.unread) == ({}, {})


def test_links_are_followed_once(folder: Path) -> None:
    """A folder that links to itself ends, and a second name of a file is none."""
    (folder / "old" / "loop").symlink_to(folder)
    (folder / "again.log").symlink_to(folder / "b.log")
    (folder / "hard.log").hardlink_to(folder / "b.log")

    assert sorted(messages(LogFiles([str(folder)]))) == ["a", "b"]


def test_a_name_with_brackets_is_a_name(folder: Path) -> None:
    """A file that is there is not a pattern."""
    (folder / "app[1].log").write_bytes(line("here"))

    assert messages(LogFiles([str(folder / "app[1].log")])) == ["here"]


def test_paths_without_files_are_errors(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the path, and where it was looked for."""
    monkeypatch.chdir(folder)
    (folder / "nothing").mkdir()

    with pytest.raises(LogSourceError, match=r"no file or folder 'x\.log'.*current"):
        LogFiles(["b.log", "x.log"])
    with pytest.raises(LogSourceError, match=r"'http://loki'.*clickhouse://.*stdin"):
        LogFiles(["http://loki"])
    with pytest.raises(LogSourceError, match=r"no file that matches '\*\.txt'"):
        LogFiles(["*.txt"])
    with pytest.raises(LogSourceError, match="no files in the folder 'nothing'"):
        LogFiles(["nothing"])
    with pytest.raises(LogSourceError, match=r"'b\.log/x' cannot be read: Not a dir"):
        LogFiles(["b.log/x"])


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    """The other files are read; a link to nothing, a vanished file and a packed one."""
    (folder / "gone.log").symlink_to(folder / "nowhere")
    (folder / "x.bz2").write_bytes(b"BZh91AY")
    (folder / "cut.gz").write_bytes(gzip.compress(line("cut"))[:-4])
    (folder / "z.log").write_bytes(line("z"))
    files = LogFiles([str(folder)])
    (folder / "z.log").unlink()

    assert sorted(messages(files)) == ["a", "b", "cut"]
    assert {Path(path).name: why for path, why in files.counts.unread.items()} == {
        "gone.log": "No such file or directory",
        "x.bz2": "its format is bzip2, which penstock does not read",
        "cut.gz": "the gzip data are cut off",
        "z.log": "No such file or directory",
    }


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python has zstd")
def test_a_missing_package_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is packed with zstd is not read without it; the other files are."""
    (folder / "x.zst").write_bytes(b"\x28\xb5\x2f\xfd....")
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    monkeypatch.delitem(sys.modules, "penstock.runs.zstd", raising=False)
    files = LogFiles([str(folder)])

    assert messages(files) == ["b", "a"]
    (reason,) = files.counts.unread.values()
    assert "pip install 'penstock[zstd]'" in reason


def test_folders_that_cannot_be_read_are_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root may read everything, the file system is made to refuse."""
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("old"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)

    files = LogFiles([str(folder)])

    assert messages(files) == ["b"]
    assert files.counts.unread == {str(folder / "old"): "Permission denied"}


def test_nothing_that_can_be_read_is_an_error(tmp_path: Path) -> None:
    """No hits would be wrong if no file was read."""
    path = tmp_path / "x.bz2"
    path.write_bytes(b"BZh91AY")

    with pytest.raises(LogSourceError, match=r"x\.bz2': its format is bzip2"):
        messages(LogFiles([str(path)]))


def test_skipped_lines_are_counted_once(tmp_path: Path) -> None:
    """Reasons have counts, also where the files are read twice."""
    garbage = b'{"root_id": "%s\n' % ROOT.encode()
    latin = line("ok").replace(b"ok", b"\xe4")
    path = tmp_path / "a.log"
    path.write_bytes(garbage + line("in a trace", trace_id="t1") + latin + garbage)
    files = LogFiles([str(path)])

    assert messages(files) == ["in a trace"]
    assert files.counts.skipped == {"not complete JSON": 2, "not UTF-8": 1}


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Give this process another stdin."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_stdin_is_read(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """It can be read only once, and yet what a second look finds is found."""
    data = line("first") + line("nested", correlation_id="b2b2") + line("last")
    stdin(monkeypatch, data)
    files = LogFiles(["-", str(folder)])

    assert messages(files, "b2b2") == ["first", "nested", "last", "b", "a"]
    assert messages(files, "b2b2") == ["first", "nested", "last", "b", "a"]


def test_packed_stdin_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The content tells."""
    stdin(monkeypatch, gzip.compress(line("packed")))

    assert messages(LogFiles(["-"])) == ["packed"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_named_pipe_is_read(folder: Path) -> None:
    """One that is named is read like stdin; one in a folder would wait forever."""
    path = folder / "pipe"
    os.mkfifo(path)

    assert sorted(messages(LogFiles([str(folder)]))) == ["a", "b"]
    writer = threading.Thread(target=path.write_bytes, args=[line("piped")])
    writer.start()
    assert messages(LogFiles([str(path)]), ROOT[:8]) == ["piped"]
    writer.join()


def test_large_files_take_little_memory(tmp_path: Path) -> None:
    """Memory is constant, also for lines without an end and for bombs."""
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.write(line("first"))
        for _ in range(40):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + line("last"))
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(200 << 20)) + gzip.compress(b"\n" + line("z")))
    files = LogFiles([str(path), str(bomb)])
    tracemalloc.start()

    assert messages(files) == ["first", "last", "z"]

    assert files.counts.skipped == {"longer than 16 MiB": 2}
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
