"""Read what is installed here from its metadata, without penstock."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackagePath, distribution, distributions
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Part",
    "Requirement",
    "changed_files",
    "installed",
    "read_part",
    "requirements",
]

logger = logging.getLogger(__name__)

MAX_FILES = 200
"""A part may have thousands of files; this many are enough for a demo."""

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?"
    r"\s*(?P<versions>[^;]*?)\s*(?:;\s*(?P<condition>.*))?"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One installed distribution."""

    name: str
    version: str
    summary: str
    requires: tuple[str, ...]
    licence: str
    classifiers: tuple[str, ...]
    licence_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a part requires; *condition* is a marker such as an extra."""

    name: str
    versions: str
    condition: str


def normal(name: str) -> str:
    """Return the normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Return the version of each distribution; the first on the path wins."""
    found: dict[str, str] = {}
    for each in distributions():
        if name := _field(each, "Name"):
            found.setdefault(normal(name), _field(each, "Version"))
    return dict(sorted(found.items()))


def read_part(name: str) -> Part:
    """Read the metadata of the distribution *name*.

    Raises:
        PackageNotFoundError: No distribution of that name is installed.
    """
    source = distribution(name)
    return Part(
        name=normal(_field(source, "Name")),
        version=_field(source, "Version"),
        summary=_field(source, "Summary"),
        requires=tuple(source.requires or ()),
        licence=_field(source, "License-Expression") or _field(source, "License"),
        classifiers=_fields(source, "Classifier"),
        licence_files=_fields(source, "License-File"),
    )


def requirements(part: Part) -> Iterator[Requirement]:
    """Yield what *part* needs; versions and conditions stay text."""
    for text in part.requires:
        match = _REQUIREMENT.fullmatch(text)
        if match is None:
            logger.warning("not a requirement: %r", text)
            continue
        name, versions, condition = match["name"], match["versions"], match["condition"]
        yield Requirement(normal(name), versions, condition or "")


def changed_files(name: str) -> tuple[int, list[str]]:
    """Hash the files of a part; return how many, and which differ from its RECORD."""
    recorded = [file for file in distribution(name).files or () if file.hash]
    looked_at = recorded[:MAX_FILES]
    changed = [str(file) for file in looked_at if not _is_as_recorded(file)]
    logger.info("hashed %d of %d recorded files", len(looked_at), len(recorded))
    return len(looked_at), changed


def _is_as_recorded(file: PackagePath) -> bool:
    assert file.hash is not None  # noqa: S101  # the caller has asked
    path = file.locate()
    try:
        with open(path, "rb") as stream:  # noqa: PTH123  # an importlib path
            digest = hashlib.file_digest(stream, file.hash.mode).digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value


def _field(source: Distribution, name: str) -> str:
    return next(iter(_fields(source, name)), "")


def _fields(source: Distribution, name: str) -> tuple[str, ...]:
    return tuple(source.metadata.get_all(name) or ())
