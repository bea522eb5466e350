"""A folder of pages: written as a whole, and no other file in it is touched."""

from __future__ import annotations

import json
import os
import resource
from typing import TYPE_CHECKING

import pytest

from penstock import RenderError
from penstock.cli._output_folder import Changes, write_folder

if TYPE_CHECKING:
    from pathlib import Path

RECORD = ".record.json"


def written(folder: Path, **files: str) -> Changes:
    """Write files; "__" in a name is a slash."""
    contents = {
        f"{name.replace('__', '/')}.md": text.encode() for name, text in files.items()
    }
    return write_folder(folder, contents, record=RECORD)


def names(folder: Path) -> list[str]:
    """Return every file below *folder*."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )


def test_a_new_folder(tmp_path: Path) -> None:
    """Folder and files are made."""
    changes = written(tmp_path / "site", index="a", flows__x="b")

    assert sorted(changes.written) == ["flows/x.md", "index.md"]
    assert names(tmp_path / "site") == [RECORD, "flows/x.md", "index.md"]
    assert (tmp_path / "site/flows/x.md").read_text() == "b"


def test_pages_that_are_gone_are_removed(tmp_path: Path) -> None:
    """A page that penstock wrote and no longer writes is removed, with its folder."""
    written(tmp_path, index="a", flows__x="b")

    assert written(tmp_path, index="a") == Changes((), ("flows/x.md",))
    assert names(tmp_path) == [RECORD, "index.md"]
    assert not (tmp_path / "flows").exists()


def test_files_of_the_user_stay(tmp_path: Path) -> None:
    """Other files, and pages that the user has changed, are not removed."""
    written(tmp_path, index="a", flows__x="b", flows__y="c")
    (tmp_path / "flows/notes.md").write_text("mine")
    (tmp_path / "flows/x.md").write_text("mine now")
    (tmp_path / "flows/y.md").unlink()

    assert written(tmp_path, index="a").removed == ()
    assert names(tmp_path) == [RECORD, "flows/notes.md", "flows/x.md", "index.md"]


def test_the_same_again_touches_nothing(tmp_path: Path) -> None:
    """A file that does not change keeps its time."""
    written(tmp_path, index="a", flows__x="b")
    os.utime(tmp_path / "index.md", (1, 1))

    assert written(tmp_path, index="a", flows__x="new").written == ("flows/x.md",)
    assert (tmp_path / "index.md").stat().st_mtime == 1


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_of_the_user_is_not_replaced(tmp_path: Path, *, is_folder: bool) -> None:
    """It is an error, and nothing is written."""
    path = tmp_path / "index.md"
    if is_folder:
        path.mkdir()
    else:
        path.write_text("mine")

    with pytest.raises(RenderError, match=r"index\.md' exists, and penstock did not"):
        written(tmp_path, about="x", index="a")
    assert [one.name for one in tmp_path.iterdir()] == ["index.md"]


def test_an_equal_file_may_be_there(tmp_path: Path) -> None:
    """A page with the right content counts as one that penstock wrote."""
    (tmp_path / "index.md").write_text("a")

    assert written(tmp_path, index="a").written == ()
    assert written(tmp_path, other="b").removed == ("index.md",)


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """If one file does not fit, none is replaced and no draft stays."""
    written(tmp_path, index="a")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(RenderError, match=r"cannot be written: File too large\."):
            written(tmp_path, index="new", flows__x="b" * 2_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert names(tmp_path) == [RECORD, "index.md"]
    assert (tmp_path / "index.md").read_text() == "a"
    assert not (tmp_path / "flows").exists()


def test_a_changed_page_is_written_again(tmp_path: Path) -> None:
    """For example, because an earlier call was stopped halfway."""
    written(tmp_path, index="a")
    (tmp_path / "index.md").write_text("something else")

    assert written(tmp_path, index="b").written == ("index.md",)
    assert (tmp_path / "index.md").read_text() == "b"


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """A file in place of a folder is an error, and nothing is replaced."""
    written(tmp_path, a="1")
    (tmp_path / "flows").write_text("in the way")

    with pytest.raises(RenderError, match="cannot be written: File exists"):
        written(tmp_path, a="2", flows__b="2")
    assert (tmp_path / "a.md").read_text() == "1"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Only the last folder of the path is made."""
    with pytest.raises(RenderError, match=r"there is no folder '.*nowhere'"):
        written(tmp_path / "nowhere" / "site", index="a")


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A file in place of the folder is an error."""
    (tmp_path / "site").write_text("")

    with pytest.raises(RenderError, match="cannot be written: File exists"):
        written(tmp_path / "site", index="a")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"files": []}', "[" * 100_000, "\xff"]
)
def test_a_broken_record(tmp_path: Path, content: str) -> None:
    """A record that cannot be read is an error, and nothing is removed."""
    (tmp_path / RECORD).write_bytes(content.encode("latin-1"))

    with pytest.raises(
        RenderError, match=r"record\.json' is not a record that penstock"
    ):
        written(tmp_path, index="a")


def test_a_hostile_record_leads_nowhere(tmp_path: Path) -> None:
    """A record that names files elsewhere does not remove them."""
    victim = tmp_path / "victim.md"
    victim.write_text("")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    hostile = {"../victim.md": empty, str(victim): empty, "a/../../victim.md": empty}
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / RECORD).write_text(json.dumps({"files": hostile}))

    written(tmp_path / "site", index="a")

    assert victim.exists()
