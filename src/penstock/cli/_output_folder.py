"""Write a folder of pages, and leave other files in it alone."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from penstock._platform.file import not_written
from penstock._platform.json_fields import JsonError, parse_json
from penstock.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

# The names of pages, so that a forged record leads nowhere else.
_PAGE = re.compile(r"(?:[a-z][a-z0-9_-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Changes(NamedTuple):
    """The files that were written to a folder, and those that were removed."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


def write_folder(
    path: str | PathLike[str], files: Mapping[str, bytes], *, record: str
) -> Changes:
    """Write *files* to the folder at *path*, and remove those of an earlier call.

    All files are written to a temporary folder in it before the first one is moved to
    its place, so a full disk changes nothing. A file that the user has changed is not
    removed.

    Args:
        path: The folder. It is made if its parent exists.
        files: Contents by name, with "/" for folders.
        record: Name of the file that remembers what penstock wrote.

    Raises:
        RenderError: It cannot be written, or a file of that name is not penstock's.
    """
    folder = Path(path)
    try:
        known = _recorded(folder / record)
        _refuse_foreign(folder, files, known)
        changed = [name for name in files if _read(folder / name) != files[name]]
        stale = [
            name
            for name, digest in known.items()
            if name not in files and _digest(_read(folder / name)) == digest
        ]
        digests = {name: _digest(files[name]) for name in sorted(files)}
        content = json.dumps({"penstock": 1, "files": digests}, indent=2)
        drafts = {name: files[name] for name in changed}
        _replace(folder, {**drafts, record: f"{content}\n".encode()}, stale)
    except OSError as exc:
        raise not_written(folder, exc) from exc
    return Changes(tuple(changed), tuple(stale))


def _replace(folder: Path, files: Mapping[str, bytes], stale: Sequence[str]) -> None:
    """Write *files*, the last one after *stale* is removed."""
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".penstock-", dir=folder) as temporary:
        drafts = Path(temporary)
        for name, content in files.items():
            (drafts / name).parent.mkdir(exist_ok=True)
            (drafts / name).write_bytes(content)
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
        *pages, record = files
        for name in pages:
            (drafts / name).replace(folder / name)
        for name in stale:
            (folder / name).unlink()
            with suppress(OSError):  # there are other files in it
                (folder / name).parent.rmdir()
        (drafts / record).replace(folder / record)


def _recorded(path: Path) -> dict[str, str]:
    """Return the digest of each file that penstock wrote before."""
    content = _read(path)
    if content is None:
        return {}
    try:
        files = parse_json(content).object("files")
        return {name: files.text(name) for name in files.keys if _PAGE.fullmatch(name)}
    except JsonError:
        msg = (
            f"{str(path)!r} is not a record that penstock wrote. Remove it, and the "
            "pages beside it, and run the command again."
        )
        raise RenderError(msg) from None


def _refuse_foreign(
    folder: Path, files: Mapping[str, bytes], known: Mapping[str, str]
) -> None:
    for name, content in files.items():
        path = folder / name
        is_other = name not in known and _read(path) not in {None, content}
        if is_other or path.is_dir():
            msg = (
                f"{str(path)!r} exists, and penstock did not write it. Choose another "
                "folder, or move the file."
            )
            raise RenderError(msg)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _digest(content: bytes | None) -> str:
    return "" if content is None else sha256(content).hexdigest()
