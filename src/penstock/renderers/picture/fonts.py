"""Choose fonts on this machine that have the characters of a text."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.renderers.text_metrics import is_plain

from .font_file import read_face

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .font_file import Face

_SUFFIXES = (".ttf", ".otf", ".ttc")
_PREFERRED = re.compile(
    "(Arial$)|(Arimo$)|(Liberation Sans$)|(Helvetica$)|(Noto Sans)|(DejaVu Sans)|"
)
_UNUSUAL = re.compile(
    "bold|black|condensed|extra|italic|light|medium|mono|oblique|semi|serif|thin"
)
_INVISIBLE = ("Cc", "Cf", "Me", "Mn", "Zl", "Zp", "Zs")
_FIRST_EMOJI = "\U0001f000"
_JOINERS = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_BETWEEN_FLAG_LETTERS = re.compile(
    "(?<=[\U0001f1e6-\U0001f1ff])(?=[\U0001f1e6-\U0001f1ff])"
)
_NO_JOINER = "\u200c"


def choose_faces(text: Iterable[str]) -> dict[str, Face]:
    """Return a face for each character of *text* that any font has."""
    wanted = frozenset(char for char in text if not _is_modifier(char))
    faces = [
        face for path in _font_files() if (face := read_face(path, wanted)) is not None
    ]
    chosen: dict[str, Face] = {}
    for is_emoji in (False, True):
        for face in sorted(faces, key=lambda one: _rank(one, is_emoji=is_emoji)):
            for char in face.chars:
                if (char >= _FIRST_EMOJI) is is_emoji:
                    chosen.setdefault(char, face)
    return chosen


def runs(text: str, faces: Mapping[str, Face]) -> Iterator[tuple[str, Face | None]]:
    """Split *text* where the face changes; a part without a face gets None."""
    parts = list(_split(text, faces))
    if len(parts) > 1:  # resvg fails if parts of one character differ in face
        text = _BETWEEN_FLAG_LETTERS.sub(_NO_JOINER, _JOINERS.sub("", text))
        parts = list(_split(text, faces))
    yield from parts


def missing_from(text: Iterable[str], faces: Mapping[str, Face]) -> list[str]:
    """Return the characters of *text* that are shown as boxes, sorted."""
    return sorted(
        char
        for char in {*text} - {*faces}
        if not is_plain(char) and unicodedata.category(char) not in _INVISIBLE
    )


def _split(text: str, faces: Mapping[str, Face]) -> Iterator[tuple[str, Face | None]]:
    part, face = "", None
    for char in text:
        other = face if _is_modifier(char) else faces.get(char)
        if part and other is not face:
            yield part, face
            part = ""
        part, face = part + char, other
    yield part, face


def _is_modifier(char: str) -> bool:
    """Return whether *char* only changes or joins its neighbours, like an accent."""
    return not is_plain(char) and unicodedata.category(char) in ("Mn", "Me", "Cf")


def _rank(face: Face, *, is_emoji: bool) -> tuple[bool, int, int, str]:
    name = face.path.name.lower()
    found = _PREFERRED.match(face.family)
    place = (found.lastindex if found else None) or 7
    unusual = len(_UNUSUAL.findall(name))
    return ("emoji" in name) is not is_emoji, place, unusual, str(face.path)


def _font_files() -> Iterator[Path]:
    for folder in dict.fromkeys(_folders()):
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                yield path


def _folders() -> Iterator[Path]:
    """Yield the font folders of Linux, macOS and Windows."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  # Path.home() may raise
    data = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for one in (
        os.environ.get("XDG_DATA_HOME") or home / ".local/share",
        *data.split(":"),
    ):
        yield Path(one, "fonts")
    yield home / ".fonts"
    yield from (Path(root, "Library/Fonts") for root in (home, "/", "/System"))
    yield Path(os.environ.get("WINDIR", "/Windows"), "Fonts")
    yield Path(os.environ.get("LOCALAPPDATA", home), "Microsoft/Windows/Fonts")
