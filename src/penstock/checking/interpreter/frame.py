"""One function while it is read, and the references to steps found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effects import Context, PathState, Site, Summary, add_visit
from .values import NOTHING, Scope

if TYPE_CHECKING:
    from penstock._project.source_files import Module

    from .effects import Invocation, Visits
    from .values import Values

__all__ = ["Frame"]


class Frame:
    """One function, or the global scope of a module, while it is read.

    Attributes:
        module: The module.
        invocation: The function with its arguments; None for the module itself.
        scope: Names, for the functions that are defined in this one.
        local: Names that belong to this function.
        visits: The references found so far.
        first: The same up to the first yield, with what has run there.
        returned: What the function may return.
        ends: What is known at each return.
        rests: What is left to do of the generators that are being iterated.
    """

    def __init__(self, module: Module, invocation: Invocation | None = None) -> None:
        self.module: Module = module
        self.invocation: Invocation | None = invocation
        func = invocation.func if invocation else None
        self.scope: Scope = Scope(func.scope if func else None)
        self.local: frozenset[str] = func.function.locals if func else frozenset()
        self.visits: Visits = {}
        self.first: tuple[Visits, int, int] | None = None
        self.returned: Values = NOTHING
        self.ends: list[PathState] = []
        self.rests: list[Summary] = []

    def apply(self, summary: Summary, state: PathState) -> None:
        """Do here what a plain function does."""
        for site, contexts in summary.visits.items():
            worst = max(site.kind, state.kind)
            here = site if worst == site.kind else site._replace(kind=worst)
            for context in contexts:
                self.note(here, context, state)
        state.may |= summary.may
        state.must |= summary.must
        state.running |= summary.running

    def bind(self, name: str, values: Values, state: PathState) -> None:
        """Let a local name stand for *values*."""
        state.names[name] = values
        self.scope.learn(name, values)

    def split(self, state: PathState) -> None:
        """Keep what was found so far apart from what follows the first yield."""
        if self.first is None:
            self.first = self.visits, state.may, state.must
            self.visits = {}

    def summary(self, end: PathState) -> Summary:
        """Return what one call does that ends as *end*."""
        if self.first is None:
            return Summary(self.visits, end.may, end.must, self.returned, end.running)
        visits, may, must = self.first
        rest = Summary(self.visits, end.may, end.must, NOTHING, end.running)
        return Summary(visits, may, must, self.returned, frozenset(), rest)

    def note(self, site: Site, context: Context, state: PathState) -> None:
        """Record a reference to a step, with what has run there in *context*."""
        is_first = state.is_first or context.is_first
        is_certain = state.is_certain and context.is_certain
        if not state.is_alive or (is_first and not is_certain):
            return  # of a condition in a loop, the next iteration tells
        may, must = context.may | state.may, context.must | state.must
        add_visit(self.visits, site, Context(may, must, is_first, is_certain))
