"""What a check reports, and what each code means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["CODES", "Code", "Finding", "Level", "Place"]

Level = Literal["error", "warning", "info"]


class Code(NamedTuple):
    """What one kind of finding means, and how bad it is."""

    level: Level
    meaning: str


CODES: dict[str, Code] = {
    "PEN000": Code("warning", "a file of the project cannot be parsed"),
    "PEN001": Code("error", "`after` names nothing"),
    "PEN002": Code("error", "no path from an entrypoint leads to the step"),
    "PEN003": Code("error", "`after` names what the other service does not have"),
    "PEN004": Code("warning", "a decorated module that `import` does not reach"),
    "PEN101": Code("error", "called before any step it is declared after"),
    "PEN201": Code("warning", "nothing calls this step"),
    "PEN202": Code("warning", "no code path exercises this edge"),
    "PEN301": Code("info", "some path may skip the predecessor"),
    "PEN901": Code("warning", "a comment ignores what is not found"),
    "PEN902": Code("warning", "the baseline holds what is not found any more"),
}


class Place(NamedTuple):
    """A line of a file; the path is absolute, or as a manifest has it."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or may be.

    Attributes:
        code: One of ``CODES``.
        message: What was found, to which name.
        place: The line to look at.
        flow: Name of the flow, ``""`` where it is about none.
        step: Name of the step, ``""`` where it is about none.
        declared: How ``after`` reads in the source, ``""`` where it is not at issue.
        declared_at: Where that stands.
        found: The steps on the way to the call, as ``receive → ship``.
        suggestion: What to write instead.
        edge: The exact edge that it is about, for a baseline.
        befores: The declared predecessors that it is about, for evidence.
    """

    code: str
    message: str
    place: Place
    flow: str = ""
    step: str = ""
    declared: str = ""
    declared_at: Place | None = None
    found: str = ""
    suggestion: str = ""
    edge: tuple[str, ...] = ()
    befores: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """How bad it is."""
        return CODES[self.code].level

    @property
    def label(self) -> str:
        """``flow/step``, or whatever of it there is."""
        return "/".join(filter(None, (self.flow, self.step)))
