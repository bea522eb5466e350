"""The plan of a flow: what a person edits before penstock writes markers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DraftPlan", "PlannedStep"]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One function that may become a step.

    Attributes:
        function: Where it is, such as ``shop.orders:charge``.
        name: The name of the step, ``""`` if the plan leaves it to penstock.
        after: The names of the steps that it comes after; None if left to penstock.
        why: Why it was chosen.
        recorded: Those of *after* that recorded runs have kept, and in how many runs.
        calls: How often recorded runs have called it.
        overrides: How many overrides of one method it stands for, else 0.
        is_guess: Whether a name alone says that it is called.
        is_sent: Whether a message brings each call, as it does to a task.
    """

    function: str
    name: str = ""
    after: tuple[str, ...] | None = None
    why: str = ""
    recorded: tuple[tuple[str, int], ...] = ()
    calls: int = 0
    overrides: int = 0
    is_guess: bool = False
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """A flow to declare.

    Attributes:
        flow: Its name.
        entry: The function that a run begins in, as it was typed.
        steps: Its steps, the entrypoint first.
        owner: Who is responsible for it, ``""`` if not known.
        others: Functions that were left out, with the reasons for them.
    """

    flow: str
    entry: str
    steps: tuple[PlannedStep, ...]
    owner: str = ""
    others: tuple[tuple[str, str], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every step has a name, and comes after steps of the plan."""
        names = {one.name for one in self.steps}
        return all(
            one.name and one.after is not None and names.issuperset(one.after)
            for one in self.steps
        )
