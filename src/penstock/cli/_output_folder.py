"""Keep a folder of files that are ours in step; what is somebody else's stays."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, cast

from penstock.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["Changes", "write_folder"]

# What we give our files, so that a record that somebody made up leads nowhere else.
_OURS = re.compile(r"(?:[a-z][a-z0-9_-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Changes:
    """What was done to a folder: names of files."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


def write_folder(
    path: str | PathLike[str], files: Mapping[str, bytes], *, record: str
) -> Changes:
    """Bring the folder at *path* to hold *files*, each replaced as a whole.

    All of them are written beside their places before the first is moved there, so
    that a disk that is full changes nothing. Files of an earlier call that are not
    among *files* any more are removed, unless somebody has changed them.

    Args:
        path: The folder; it is made, if the one that it is in is there.
        files: Contents by path, with "/" for folders.
        record: Name of the file in which to remember what is ours.

    Raises:
        RenderError: It cannot be written, or a file of that name is not ours.
    """
    folder = Path(path)
    try:
        return _Folder(folder, record).bring(files)
    except OSError as exc:
        reason = str(exc.strerror or exc)
        if not folder.resolve().parent.is_dir():
            reason = f"there is no folder {str(folder.parent)!r}"
        msg = f"{str(path)!r} cannot be written: {reason}."
        raise RenderError(msg) from exc


@dataclass(slots=True)
class _Folder:
    path: Path
    record: str
    drafts: dict[Path, Path] = field(default_factory=dict)
    made: list[Path] = field(default_factory=list)

    def bring(self, files: Mapping[str, bytes]) -> Changes:
        old = self._recorded()
        self._refuse_others(files, old)
        changed = [name for name in files if _read(self.path / name) != files[name]]
        stale = [
            name for name in old if name not in files and self._is_as_written(name, old)
        ]
        hashes = {name: sha256(content).hexdigest() for name, content in files.items()}
        try:
            for name in changed:
                self._draft(name, files[name])
            # First of all: should we be stopped, these are ours all the same.
            self._draft(self.record, _document(hashes | {n: old[n] for n in stale}))
            self._place(self.record)
            for name in changed:
                self._place(name)
        except BaseException:
            self._clean_up()
            raise
        for name in stale:
            self._remove(name)
        if stale:
            self._draft(self.record, _document(hashes))
            self._place(self.record)
        return Changes(tuple(changed), tuple(stale))

    def _recorded(self) -> dict[str, str]:
        """Return the hashes of what we wrote before, as far as we can tell."""
        content = _read(self.path / self.record)
        if content is None:
            return {}
        try:
            document: object = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        files = (
            cast("dict[str, object]", document).get("files")
            if isinstance(document, dict)
            else None
        )
        if not isinstance(files, dict):
            msg = (
                f"{str(self.path / self.record)!r} is not what penstock wrote. Remove "
                "it, and the pages that are to be written anew."
            )
            raise RenderError(msg)
        items = cast("dict[str, object]", files).items()
        return {name: str(known) for name, known in items if _OURS.fullmatch(name)}

    def _refuse_others(
        self, files: Mapping[str, bytes], old: Mapping[str, str]
    ) -> None:
        for name, content in files.items():
            path = self.path / name
            is_other = path.is_dir() or (
                name not in old and _read(path) not in (None, content)
            )
            if is_other:
                msg = (
                    f"{str(path)!r} is there already, and penstock did not write it. "
                    "Choose another folder, or move it away."
                )
                raise RenderError(msg)

    def _is_as_written(self, name: str, old: Mapping[str, str]) -> bool:
        content = _read(self.path / name)
        return content is None or sha256(content).hexdigest() == old[name]

    def _draft(self, name: str, content: bytes) -> None:
        target = self.path / name
        self._make(target.parent)
        draft = target.with_name(f".penstock-{token_hex(8)}.tmp")
        self.drafts[target] = draft
        with draft.open("xb") as file:
            file.write(content)

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            if folder != self.path:
                self._make(self.path)
            folder.mkdir()
            self.made.append(folder)

    def _place(self, name: str) -> None:
        target = self.path / name
        self.drafts[target].replace(target)
        del self.drafts[target]

    def _clean_up(self) -> None:
        for draft in self.drafts.values():
            with suppress(OSError):
                draft.unlink()
        for folder in reversed(self.made):
            with suppress(OSError):  # something of ours is in it already
                folder.rmdir()

    def _remove(self, name: str) -> None:
        path = self.path / name
        path.unlink(missing_ok=True)
        if path.parent != self.path:
            with suppress(OSError):  # others are in it
                path.parent.rmdir()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _document(hashes: Mapping[str, str]) -> bytes:
    files = dict(sorted(hashes.items()))
    return f"{json.dumps({'penstock': 1, 'files': files}, indent=2)}\n".encode()
