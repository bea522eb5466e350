"""Write files atomically."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from penstock.errors import RenderError

if TYPE_CHECKING:
    from os import PathLike


def write_file(path: str | PathLike[str], content: bytes) -> None:
    """Replace the file at *path*; readers see the old content or the new one.

    A link stays a link, and a file keeps its mode. A pipe or a device is written to.

    Raises:
        RenderError: The file cannot be written; it is unchanged.
    """
    target = Path(path).resolve()
    try:
        mode = target.stat().st_mode if target.exists() else None
        if mode is None or stat.S_ISREG(mode):
            _replace(target, content, mode)
        else:
            target.write_bytes(content)
    except OSError as exc:
        reason = exc.strerror or exc
        if not target.parent.is_dir():
            reason = f"there is no folder {str(Path(path).parent)!r}"
        msg = f"{str(path)!r} cannot be written: {reason}."
        raise RenderError(msg) from exc


def _replace(target: Path, content: bytes, mode: int | None) -> None:
    draft = target.with_name(f".penstock-{token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:  # the umask gives a new file its mode
            file.write(content)
        if mode is not None:
            draft.chmod(stat.S_IMODE(mode))
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
