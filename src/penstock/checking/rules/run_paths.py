"""Follow the runs of a flow from its entrypoints through the code.

Two ways to a step differ only if a step further on is declared after what differs, so
contexts are kept without anything else, and each is followed once for all entrypoints.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from penstock.checking.interpreter.effects import ANYTHING, Context, Invocation, Site
from penstock.checking.interpreter.values import Func

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._types import StepInfo
    from penstock.checking.interpreter.interpreter import Interpreter
    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.steps import Steps

    from .declarations import Declarations, Declared

_MAX_CONTEXTS = 12  # of one step in one run

_Message = Invocation | None  # what a message or a commit runs; None without either


class Visit(NamedTuple):
    """One way in which a run may reach a call of a step.

    Attributes:
        declared: The step, as declared in one of its flows.
        site: Where it is called.
        context: What has run then.
        way: The steps from the entrypoint to this one.
        sent: Steps that messages sent earlier may run, or may have run.
        siblings: Steps that the run calls outside the message, or the commit of a
            transaction, that makes this call: they may run before or after it.
    """

    declared: Declared
    site: Site
    context: Context
    way: tuple[str, ...]
    sent: int
    siblings: int = 0


class FlowPaths:
    """The calls of steps that the runs of one flow reach."""

    def __init__(
        self,
        interpreter: Interpreter,
        steps: Steps,
        declarations: Declarations,
        flow: str,
    ) -> None:
        self._interpreter = interpreter
        self._steps = steps
        self._declarations = declarations
        self._flow = flow
        self._nodes: dict[Invocation, _Node] = {}
        self._seen: dict[tuple[Invocation, _Message], _Seen] = {}

    def follow(self, entry: Declared) -> Iterator[Visit]:
        """Yield the calls that a run from *entry* reaches, and no earlier one did.

        If *entry* is not an entrypoint, anything may have run before it.
        """
        assert entry.function is not None  # noqa: S101  # checked by the caller
        overrides = self._steps.overrides.get(entry.function, ())
        for function in (entry.function, *overrides):
            yield from self._follow(Invocation(Func(function)), entry)

    def _follow(self, start: Invocation, entry: Declared) -> Iterator[Visit]:
        self._read(start)
        if not self._nodes[start].sends:
            for visit, _ in self._visits(start, entry, self._seen):
                yield visit
            return
        found = list(self._visits(start, entry, {}))
        called: dict[_Message, int] = {}
        for visit, message in found:
            bit = self._steps.bits[visit.site.invocation.func.function]
            called[message] = called.get(message, 0) | bit
        for visit, message in found:
            own = visit.site.invocation if visit.site.is_deferred else message
            siblings = 0
            for other, mask in called.items() if own is not None else ():
                siblings |= mask if other != own else 0
            yield visit._replace(siblings=siblings)

    def _visits(
        self,
        start: Invocation,
        entry: Declared,
        seen: dict[tuple[Invocation, _Message], _Seen],
    ) -> Iterator[tuple[Visit, _Message]]:
        """Yield every call of a step, with the message that made its caller run."""
        bit = self._interpreter.bits[start.func.function]
        may = bit if entry.step.is_entrypoint else bit | ANYTHING
        todo: deque[tuple[Invocation, Context, tuple[str, ...], _Message]] = deque(
            [(start, Context(may, bit), (entry.step.name,), None)]
        )
        while todo:
            invocation, context, way, message = todo.popleft()
            node = self._nodes[invocation]
            known = seen.setdefault((invocation, message), _Seen())
            around = known.add(entry, context, node.relevant)
            if around is None:
                continue
            for site, inner in node.sites:
                if around.is_first and not inner.is_certain:
                    continue  # the next iteration of the loop decides
                context = Context(
                    around.may | inner.may,
                    around.must | inner.must,
                    around.is_first or inner.is_first,
                    around.is_certain and inner.is_certain,
                )
                called = site.invocation.func.function
                further = (*way, self._name(called))
                for info in self._steps.of[called]:
                    declared = self._declarations.of(info.flow, info.name)
                    if declared is not None:
                        sent = self._interpreter.sent_in(context.may)
                        yield Visit(declared, site, context, further, sent), message
                if self._goes_on(called):
                    bit = self._interpreter.bits[called]
                    # Never an error below a guess: other code may call the step.
                    unseen = ANYTHING if site.kind == "possible" else 0
                    after = context._replace(
                        may=context.may | bit | unseen, must=context.must | bit
                    )
                    is_later = site.is_sent or site.is_deferred
                    brought_by = site.invocation if is_later else message
                    todo.append((site.invocation, after, further, brought_by))

    def _read(self, start: Invocation) -> None:
        """Learn what matters further on, for all that *start* leads to."""
        new: dict[Invocation, list[Invocation]] = {}  # what leads to each
        todo = [start]
        while todo:
            invocation = todo.pop()
            if invocation in self._nodes:
                continue
            node = self._nodes[invocation] = self._node(invocation)
            new.setdefault(invocation, [])
            for further in node.leads_to:
                new.setdefault(further, []).append(invocation)
                todo.append(further)
        todo = list(new)
        while todo:
            further = todo.pop()
            beyond = self._nodes[further]
            for invocation in new.get(further, ()):
                if self._nodes[invocation].add(beyond):
                    todo.append(invocation)

    def _node(self, invocation: Invocation) -> _Node:
        sites = [
            (site, context)
            for part in self._interpreter.summary(invocation).parts
            for site, contexts in part.visits.items()
            for context in sorted(contexts)
        ]
        node = _Node(sites)
        for site in dict.fromkeys(site for site, _ in sites):
            called = site.invocation.func.function
            node.sends |= site.is_sent or site.is_deferred
            for info in self._steps.of[called]:
                declared = self._declarations.of(info.flow, info.name)
                for member in declared.members if declared is not None else ():
                    node.relevant |= member.bit | self._interpreter.sent(member.bit)
            if self._goes_on(called):
                node.leads_to.append(site.invocation)
        return node

    def _own(self, called: Function) -> list[StepInfo]:
        return [one for one in self._steps.of[called] if one.flow == self._flow]

    def _name(self, called: Function) -> str:
        for own in self._own(called):
            return own.name
        other = self._steps.of[called][0]
        return f"{other.flow}:{other.name}"

    def _goes_on(self, called: Function) -> bool:
        """Return whether a call of it is not a run of its own, followed from there."""
        own = self._own(called)
        return any(not one.is_entrypoint for one in own) or not any(
            one.is_entrypoint for one in self._steps.of[called]
        )


@dataclass
class _Node:
    """One call of a step, whatever ran before.

    Attributes:
        sites: The steps that it calls, each with what has run there.
        leads_to: Those whose own calls belong to the same run.
        relevant: What steps that it leads to are declared after, as a mask.
        sends: Whether it leads to a message, or to a call at the end of a transaction.
    """

    sites: list[tuple[Site, Context]]
    leads_to: list[Invocation] = field(default_factory=list["Invocation"])
    relevant: int = ANYTHING
    sends: bool = False

    def add(self, beyond: _Node) -> bool:
        """Add what matters in a step that it leads to; return whether that is new."""
        relevant, sends = self.relevant | beyond.relevant, self.sends or beyond.sends
        is_new = (relevant, sends) != (self.relevant, self.sends)
        self.relevant, self.sends = relevant, sends
        return is_new


class _Seen:
    """The contexts in which a step was reached."""

    def __init__(self) -> None:
        self._known: dict[tuple[bool, int], list[int]] = {}
        self._entry: Declared | None = None
        self._count = 0
        self._may = 0

    def add(self, entry: Declared, context: Context, relevant: int) -> Context | None:
        """Return what matters of *context*; None if it shows nothing new."""
        if entry is not self._entry:
            self._entry, self._count = entry, 0
        may, must = context.may & relevant, context.must & relevant
        known = self._known.setdefault((context.is_first, may), [])
        if any(old & must == old for old in known):
            return None  # less has certainly run there
        self._count += 1
        if self._count <= _MAX_CONTEXTS:
            known.append(must)
            return context._replace(may=may, must=must)
        if self._may | may == self._may:
            return None
        # Too many to judge each, but all that may run before what comes is of interest.
        self._may |= may
        return Context(self._may, -1)
