"""What a check reports, and what each code means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["CODES", "Code", "Finding", "Level", "Place", "by_place"]

Level = Literal["error", "warning", "info"]


class Code(NamedTuple):
    """What one kind of finding means, and its level."""

    level: Level
    meaning: str


CODES: dict[str, Code] = {
    "PEN000": Code("warning", "a file of the project cannot be parsed"),
    "PEN001": Code("error", "`after` names a step that does not exist"),
    "PEN002": Code("error", "no path from an entrypoint leads to the step"),
    "PEN003": Code("error", "`after` names a step that another service does not have"),
    "PEN004": Code("warning", "a module declares steps, and nothing imports it"),
    "PEN005": Code("warning", "a subclass has something else in place of a step"),
    "PEN006": Code("warning", "a decorator below the marker registers the function"),
    "PEN101": Code("error", "called before any step it is declared after"),
    "PEN201": Code("warning", "nothing calls this step"),
    "PEN202": Code("warning", "no path in the code takes this edge"),
    "PEN301": Code("info", "a path may skip the predecessor"),
    "PEN901": Code("warning", "a comment ignores nothing"),
    "PEN902": Code("warning", "the baseline holds a finding that is fixed"),
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
        message: What is wrong.
        place: The line to look at.
        flow: Name of the flow, ``""`` if there is none.
        step: Name of the step, ``""`` if there is none.
        declared: The ``after=`` in the source, ``""`` if it does not matter.
        declared_at: Where that is.
        found: The steps on the way to the call, as ``receive → ship``.
        suggestion: What the declaration, or a setting, may say instead.
        edge: The exact edge, for a baseline.
        befores: The declared predecessors, for evidence.
        is_uncertain: Whether the code does not show enough to be sure: an info.
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
    is_uncertain: bool = False

    @property
    def level(self) -> Level:
        """The level of its code, unless it is uncertain."""
        return "info" if self.is_uncertain else CODES[self.code].level

    @property
    def fix(self) -> str:
        """The suggestion in words: whether it or the call is wrong, a person knows."""
        if self.code == "PEN101" and self.suggestion:
            return f"move the call, or declare {self.suggestion}"
        return self.suggestion

    @property
    def label(self) -> str:
        """``flow/step``, or the one that there is."""
        return "/".join(filter(None, (self.flow, self.step)))


def by_place(finding: Finding) -> tuple[Place, str, str, str]:
    """Return the key that sorts findings."""
    return (finding.place, finding.code, finding.label, finding.message)
