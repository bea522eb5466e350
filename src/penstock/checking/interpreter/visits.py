"""Where the references to steps that a reader finds are noted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .effects import Body, Context, Site, State, Summary, add_visit

if TYPE_CHECKING:
    from penstock.checking.project.files import Module

    from .effects import Kind, Visits
    from .engine import Engine

__all__ = ["Notes"]

_ORDER: dict[Kind, int] = {"call": 0, "escape": 1, "possible": 2}


class Notes:
    """The part of a reader that keeps what it finds.

    Attributes:
        visits: Where the references that are found now are noted.
    """

    def __init__(self, engine: Engine, module: Module, body: Body | None) -> None:
        self.engine: Engine = engine
        self.module: Module = module
        self.body: Body | None = body
        self.visits: Visits = {}

    def _apply(self, summary: Summary, state: State, kind: Kind) -> None:
        """Do here what a plain function does."""
        for site, contexts in summary.visits.items():
            worst = max(site.kind, kind, key=_ORDER.__getitem__)
            here = site if worst == site.kind else site._replace(kind=worst)
            for context in contexts:
                self._add(here, context, state)
        state.may |= summary.may
        state.must |= summary.must
        state.running |= summary.running

    def _note(self, body: Body, node: ast.expr, state: State, kind: Kind) -> None:
        line = node.lineno
        if isinstance(node, ast.Attribute):
            line = node.end_lineno or line
        site = Site(body, self.module.path, line, kind)
        self._add(site, Context(0, 0), state)

    def _add(self, site: Site, context: Context, state: State) -> None:
        if not state.is_alive:
            return
        is_first = state.is_first or context.is_first
        is_certain = state.is_certain and context.is_certain
        if is_first and not is_certain:
            return  # the second time around the loop tells
        add_visit(
            self.visits,
            site,
            Context(
                context.may | state.may,
                context.must | state.must,
                is_first,
                is_certain,
            ),
        )
