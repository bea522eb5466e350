"""Write files atomically."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from penstock.errors import RenderError

if TYPE_CHECKING:
    from os import PathLike

_STDOUT, _STDERR = 1, 2


def write_file(path: str | PathLike[str], content: bytes) -> None:
    """Replace the file at *path*; readers see the old content or the new one.

    A link stays a link, and a file keeps its mode. A pipe or a device is written to,
    and so is the file that this process has as stdout or stderr.

    Raises:
        RenderError: The file cannot be written; it is unchanged.
    """
    try:
        found = _stat_of(path)
        stream = None if found is None else _stream_of(found)
        if stream is not None:
            with open(stream, "wb", closefd=False) as file:
                file.write(content)
        elif found is None or stat.S_ISREG(found.st_mode):
            _replace(Path(path).resolve(), content, found)
        else:
            # Not resolved: /dev/fd/9 leads to "pipe:[123]", which only a kernel opens.
            Path(path).write_bytes(content)
    except OSError as exc:
        raise not_written(path, exc) from exc


def not_written(path: str | PathLike[str], exc: OSError) -> RenderError:
    """Return the error that says why *path* cannot be written."""
    reason = exc.strerror or str(exc)
    folder, real = Path(path).parent, Path(os.path.realpath(path)).parent
    if not isinstance(exc, PermissionError):  # else is_dir() raises it, too
        if not folder.is_dir():
            reason = f"there is no folder {str(folder)!r}"
        elif not real.is_dir():
            reason = f"it is a link, and there is no folder {str(real)!r}"
    return RenderError(f"{str(path)!r} cannot be written: {reason}.")


def _stat_of(path: str | PathLike[str]) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def _stream_of(found: os.stat_result) -> int | None:
    """Return the descriptor of the stream that has this file.

    Opening /dev/stdout again would truncate the file behind it, and replacing that file
    would lose what other programs write there.
    """
    for stream in (_STDOUT, _STDERR):
        with suppress(OSError):  # it is closed
            if os.path.samestat(found, os.fstat(stream)):
                return stream
    return None


def _replace(target: Path, content: bytes, found: os.stat_result | None) -> None:
    draft = target.with_name(f".penstock-{token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:  # the umask gives a new file its mode
            file.write(content)
        if found is not None:
            draft.chmod(stat.S_IMODE(found.st_mode))
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
