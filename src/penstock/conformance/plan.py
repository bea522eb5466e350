"""The plan of each flow: its declared steps and edges, as bits."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from penstock._graph.names import Names
from penstock._registry import registry
from penstock._runtime.state import state
from penstock._steps.fast_path import FITS_NO_RUN, FastPath, SeenOrder
from penstock._steps.source import FunctionKind, kind_of
from penstock._types import FlowInfo, StepInfo

from .rules import Plan, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._context import Done
    from penstock._steps.step import Step

Key = tuple[str, str]
"""A flow, or ``service/flow`` for another service, and a step of it."""

Edge = tuple[Key, Key]

MAX_FAST = 512
"""Larger flows are judged without flags, because each run holds flags per step."""

_MAX_SETS = 1024
_MAX_ORDERS = 128
GENERATORS = frozenset((FunctionKind.GENERATOR, FunctionKind.ASYNC_GENERATOR))
_ALWAYS = 1  # this flag is always set, flag 0 never; the flags of orders follow
_FIRST_ORDER = 2
_FIRST_STEP = _FIRST_ORDER + _MAX_ORDERS


@dataclass(slots=True, eq=False)
class StepRule:
    """A step with its rule, its fast path and its counts.

    Attributes:
        names: Its predecessors, with the names that it gives them.
        fast_flag: The flag that a run sets when a call has ended that the call path
            judged.
        counts: How many calls came after each set of predecessors.
        more: The same for single predecessors, once there are too many sets.
    """

    step: Step
    rule: Rule
    names: dict[Key, str]
    fast_flag: int
    fast_path: FastPath = field(default_factory=FastPath)
    counts: dict[int, int] = field(default_factory=dict)
    more: dict[int, int] = field(default_factory=dict)

    @property
    def slow_flag(self) -> int:
        """The flag that a run sets when a call has ended that ``Judge`` judged."""
        return self.fast_flag + 1

    def add(self, before: int, calls: int = 1) -> None:
        """Count calls that came after the steps *before*."""
        if before in self.counts or len(self.counts) < _MAX_SETS:
            self.counts[before] = self.counts.get(before, 0) + calls
            return
        self.counts[0] = self.counts.get(0, 0) + calls
        for bit, _ in self.rule.edges:
            if bit & before:  # the combination is lost, but not the counts
                self.more[bit] = self.more.get(bit, 0) + calls

    def follow(self, fast_path: FastPath) -> None:
        """Use another fast path from now on, and keep what the old one counted."""
        fast_path.calls = self.fast_path.calls
        fast_path.seen = self.fast_path.seen
        self.fast_path = self.step.fast_path = fast_path

    def redeclare(self, step: Step, rule: Rule, names: dict[Key, str]) -> None:
        """Follow another declaration of the step, and keep the counts."""
        self.step.fast_path = FITS_NO_RUN
        if rule.groups != self.rule.groups:
            only = len(self.rule.edges) == 1
            self.add(self.rule.edges[0][0] if only else 0, self.fast_path.calls)
            for order in self.fast_path.seen.values():
                self.add(order.before, order.calls)
            self.fast_path = FastPath()
        self.step, self.rule, self.names = step, rule, names

    def total(self) -> tuple[int, dict[Key, int]]:
        """Return how often it was called, and how often after each predecessor."""
        orders = self.fast_path.seen.values()
        counts = [*self.counts.items(), *((one.before, one.calls) for one in orders)]
        found = {}
        for key, (bit, _) in zip(self.names, self.rule.edges, strict=True):
            after = sum(count for before, count in counts if before & bit)
            found[key] = after + self.more.get(bit, 0) + self.fast_path.calls
        return sum(count for _, count in counts) + self.fast_path.calls, found


class FlowPlan(Plan):
    """The order that one flow declares.

    Attributes:
        flow: Its name.
        steps: Each step as it is declared now.
        every: Every step ever declared.
        own: The bits of its steps.
        generators: The bits of its generator steps, which may begin inside a call.
        outside: The bits of steps of other flows that it names.
        epoch: A new object after each change of the fast paths.
    """

    def __init__(self, flow: str) -> None:
        super().__init__()
        self.flow = flow
        self.steps: dict[str, StepRule] = {}
        self.every: list[StepRule] = []
        self.own: int = 0
        self.generators: int = 0
        self.outside: dict[Key, int] = {}
        self.epoch: object = object()
        self._by_step: dict[Step, StepRule] = {}
        self._foreign: dict[Key, Rule] = {}
        self._folded: dict[bytes, int] = {}
        self._edges_seen: list[int] = []
        self.learn(registry.steps(flow))

    def learn(self, steps: Iterable[Step]) -> None:
        """Add those of *steps* that the plan does not have yet."""
        new = [step for step in steps if step not in self._by_step]
        if new:
            find = _Finder()
            for step in new:
                self._bind(step, find)
            self.renew_fast_paths()

    def step_rule(self, step: Step) -> StepRule:
        """Return a step of this flow with its rule.

        An override has the rule of the step that it overrides. A function that was
        declared again, or was copied from another process, has the rule of the latest
        declaration.
        """
        step = step.overridden or step
        if step not in self._by_step:
            step = registry.find(self.flow, step.name) or step
            self.learn([step])
        return self._by_step[step]

    def foreign(self, step: Step) -> Rule:
        """Return a rule for a step of another flow; it has no predecessors here."""
        key = step.flow, step.name
        return self._foreign.setdefault(key, Rule(self.bit(key)))

    def flags(self) -> bytearray:
        """Return the flags of a run in which nothing has happened."""
        flags = bytearray(_FIRST_STEP + 2 * len(self.every))
        flags[_ALWAYS] = 1
        return flags

    def remember(self, step_rule: StepRule, flags: bytearray, above: int) -> None:
        """Let the call path accept calls like this one, which has kept the order.

        *flags* are those of the run, and *above* the steps that are open around it.
        """
        rule, fast_path = step_rule.rule, step_rule.fast_path
        if fast_path.read_flags is None or len(self._edges_seen) >= _MAX_ORDERS:
            return
        key = fast_path.read_flags(flags), above & fast_path.mask
        if key in fast_path.seen:
            return
        before = above & rule.mask
        for one in (self.steps[name] for _, name in step_rule.names):
            if flags[one.fast_flag] or flags[one.slow_flag]:
                before |= one.rule.bit
        if not rule.broken(before):
            order = SeenOrder(before, _FIRST_ORDER + len(self._edges_seen))
            self._edges_seen.append(rule.edges_from(before))
            fast_path.seen[key] = order

    def folded(self, flags: bytearray) -> int:
        """Return the steps and edges that flags of the call path stand for."""
        key = bytes(flags)
        found = self._folded.get(key)
        if found is None:
            if len(self._folded) >= _MAX_SETS:
                self._folded.clear()
            found = 0
            for one in self.every[: (len(flags) - _FIRST_STEP) // 2]:
                if flags[one.fast_flag]:
                    only = len(one.rule.edges) == 1
                    found |= one.rule.bit | (one.rule.edges[0][1] if only else 0)
            for flag, edges in enumerate(self._edges_seen, _FIRST_ORDER):
                found |= edges if flags[flag] else 0
            self._folded[key] = found
        return found

    def given(self, done: Done) -> int:
        """Return the bits of the steps of this flow that have ended elsewhere."""
        if self.flow != done.flow:
            return 0
        return self.known_bits([(self.flow, name) for name in done.steps])

    def given_outside(self, done: Done) -> int:
        """Return the bits of other flows' steps that have ended and are named here."""
        found = 0
        for place in (done.flow, f"{done.service}/{done.flow}"):
            for name in done.steps:
                found |= self.outside.get((place, name), 0)
        return found

    def renew_fast_paths(self) -> None:
        """Stop the call path from judging open runs, because the plan has changed."""
        self.epoch = object()
        for one in self.every if len(self.every) <= MAX_FAST else ():
            fast_path = FastPath()
            fast_path.epoch = self.epoch
            fast_path.done_flag, fast_path.bit = one.fast_flag, one.rule.bit
            flags = self._flags_of_predecessors(one)
            if not one.names:
                fast_path.flag = _ALWAYS
            elif len(flags) == 2:  # noqa: PLR2004  # one predecessor, as most steps have
                fast_path.flag, fast_path.slow_flag = flags
            if flags:
                fast_path.read_flags, fast_path.mask = itemgetter(*flags), one.rule.mask
            one.follow(fast_path)

    def _bind(self, step: Step, find: _Finder) -> None:
        names = dict.fromkeys(name for group in step.after for name in group)
        keys = {name: find(name, self.flow) for name in names}
        declared = {key: name for name, key in keys.items()}
        after = [[keys[name] for name in group] for group in step.after]
        others = [key for key in declared if key[0] != self.flow]
        rule = self.rule((self.flow, step.name), after, unsure=others)
        step_rule = self.steps.get(step.name)
        if step_rule is None:
            flag = _FIRST_STEP + 2 * len(self.every)
            step_rule = StepRule(step, rule, declared, flag)
            self.every.append(step_rule)
            self.steps[step.name] = step_rule
        else:
            del self._by_step[step_rule.step]
            step_rule.redeclare(step, rule, declared)
        self._by_step[step] = step_rule
        self.own |= rule.bit
        self.generators &= ~rule.bit
        if kind_of(step.func) in GENERATORS:
            self.generators |= rule.bit
        self.outside.update({key: self.bit(key) for key in others})

    def _flags_of_predecessors(self, one: StepRule) -> tuple[int, ...]:
        """Return the flags of the predecessors; empty if one is in another flow."""
        found: list[int] = []
        for flow, name in one.names:
            before = self.steps.get(name) if flow == self.flow else None
            if before is None:
                return ()
            found += (before.fast_flag, before.slow_flag)
        return tuple(found)


class _Finder:
    """Resolves the names in ``after`` by the same rules as drawings."""

    def __init__(self) -> None:
        self._names: Names | None = None

    def __call__(self, name: str, flow: str) -> Key:
        """Return the step that *name* refers to in the ``after`` of a step of *flow*.

        A name without a step is kept, because the step may be declared later.
        """
        if ":" not in name:
            return flow, name
        self._names = self._names or Names(map(_info, registry.names()))
        return find_key(name, FlowInfo(flow, service=state.service), self._names)


def find_key(name: str, flow: FlowInfo, names: Names) -> Key:
    """Return the step that *name* refers to in the ``after`` of a step of *flow*.

    A name without a step is kept.
    """
    if ":" not in name:
        return flow.name, name
    target = names.find(name, flow)
    if target is None:
        place, _, step = name.partition(":")
        return place, step
    if target.step is None:
        return f"{target.service}/{target.flow}", target.name
    return target.flow, target.name


def _info(flow: str) -> FlowInfo:
    """Return the part of a flow that is needed to look up names."""
    steps = tuple(StepInfo(step.name, flow) for step in registry.steps(flow))
    return FlowInfo(flow, steps, service=state.service)
