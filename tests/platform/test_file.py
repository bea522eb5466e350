"""Writing files: links, pipes, and the process's own output."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from penstock import RenderError
from penstock._platform.file import not_written, write_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX's links and pipes")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_stdout_by_its_name(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What was written to stdout before stays, also if stdout is a file."""
    if not Path(name).exists():
        pytest.skip(f"there is no {name}")
    os.write(1, b"before\n")
    write_file(name, b"content\n")
    os.write(1, b"after\n")

    assert capfd.readouterr().out == "before\ncontent\nafter\n"


def test_stderr_by_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    """Stderr is written to, as stdout is."""
    write_file("/dev/stderr", b"content\n")

    assert capfd.readouterr().err == "content\n"


@pytest.mark.parametrize("ending", ["", ">> log.txt", "| cat"])
def test_stdout_of_a_shell(ending: str, tmp_path: Path) -> None:
    """Whatever the shell made of stdout, lines come in order, and none is lost."""
    program = (
        "from penstock._platform.file import write_file\n"
        "write_file('/dev/stdout', b'content\\n')"
    )
    (tmp_path / "program.py").write_text(program)
    command = f'(echo a; "{sys.executable}" program.py; echo b) {ending}'

    result = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True
    )

    log = tmp_path / "log.txt"
    shown = log.read_bytes() if log.exists() else result.stdout
    assert shown == b"a\ncontent\nb\n"


def test_without_stdout(tmp_path: Path) -> None:
    """A process whose stdout is closed writes its files."""
    (tmp_path / "a").write_text("old")
    before = os.dup(1)
    os.close(1)
    try:
        write_file(tmp_path / "a", b"new")
    finally:
        os.dup2(before, 1)
        os.close(before)

    assert (tmp_path / "a").read_bytes() == b"new"


def test_pipe_is_written_to(tmp_path: Path) -> None:
    """A named pipe is not replaced, and one of another process has no path."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, b"content")
    reader.join(10)

    assert read == [b"content"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_pipe_that_only_has_a_number() -> None:
    """A shell passes >(gzip > x.gz) as /dev/fd/63."""
    reader, writer = os.pipe()
    try:
        write_file(f"/dev/fd/{writer}", b"content")
        assert os.read(reader, 99) == b"content"
    finally:
        os.close(reader)
        os.close(writer)


def test_link_to_a_new_file(tmp_path: Path) -> None:
    """A link to a file that does not exist yet makes that file."""
    link = tmp_path / "link"
    link.symlink_to("file")
    write_file(link, b"content")

    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"content"


def test_link_into_a_missing_folder(tmp_path: Path) -> None:
    """The error names the folder that is missing, which the path does not show."""
    link = tmp_path / "link"
    link.symlink_to("missing/file")

    with pytest.raises(RenderError, match=r"link' .* link, .* no folder '.*missing'"):
        write_file(link, b"content")
    assert link.is_symlink()


def test_loop_of_links(tmp_path: Path) -> None:
    """Links that lead to each other stay, and there is one clear error."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(RenderError, match="cannot be written: Too many levels"):
        write_file(tmp_path / "a", b"content")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert (tmp_path / "a").is_symlink()


def test_file_in_place_of_a_folder(tmp_path: Path) -> None:
    """A file cannot hold another; the error says what is missing."""
    (tmp_path / "file").write_text("")

    with pytest.raises(RenderError, match=r"there is no folder '.*file'"):
        write_file(tmp_path / "file" / "x", b"content")


def test_folder_that_cannot_be_entered(tmp_path: Path) -> None:
    """Without permission, it is unknown whether a folder exists."""
    denied = PermissionError(errno.EACCES, "Permission denied")

    error = not_written(tmp_path / "closed" / "below" / "x", denied)
    assert str(error).endswith("x' cannot be written: Permission denied.")
