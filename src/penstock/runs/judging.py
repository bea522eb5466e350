"""Judge stored runs by the declared order, with the rules of ``conformance``.

Live, a call is judged when it is made, by what its process knows. Here what all
processes have written decides, and only where it is certain: a step was before a call
if it is above it, or had ended when the call was made, by the same clock. Each host has
a clock of its own, and two clocks are never compared.

A run with missing lines is never accused. Two things leave no trace: a call whose
lines, or whose only span, are all lost, and a message whose receiver's
lines are not given, unless its step is declared as one that messages call.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.conformance.violations import missing_before

from .declared_order import declared_orders
from .ended_steps import EndedSteps
from .operation import BrokenRule, OrderJudgement
from .places import Moment, places_of, run_of
from .trees import gaps_of, is_caller_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.conformance.rules import Rule

    from .declared_order import DeclaredOrder
    from .operation import Operation, OrderVerdict, StoredCall
    from .places import Message, StoredPlace

__all__ = ["entry_of", "is_foreign", "judge"]


_OLDER = (
    "lines of older versions do not say when a message was sent, or when a generator "
    "gave its first item"
)


def judge(operation: Operation, flows: Sequence[FlowInfo]) -> list[OrderJudgement]:
    """Return the verdict on each run of an operation, by the flow that it runs.

    Direct calls of other flows' steps are not judged. A context without an entrypoint,
    as ``start_flow`` or a message opens, has a verdict for each flow whose steps it
    calls.

    Args:
        operation: The operation.
        flows: The flows as they are declared, with those that their steps come after.
    """
    orders = declared_orders(flows, {call.flow for call in operation.calls})
    services = {call.service for call in operation.calls}
    torn = gaps_of(filter(is_caller_missing, operation.roots))
    runs: dict[str, list[StoredPlace]] = {}
    every = places_of(operation.calls)
    for place in every:
        runs.setdefault(run_of(place.call), []).append(place)
    found = []
    for run_id, places in runs.items():
        entry = entry_of([place.call for place in places])
        by_flow: dict[str, list[StoredPlace]] = {}
        for place in places:
            if not is_foreign(place, entry):
                by_flow.setdefault(place.call.flow, []).append(place)
        for flow, own in by_flow.items():
            reason = _why_unknown([place.call for place in own], torn)
            if not reason and flow not in orders:
                reason = f"no flow {flow!r} is declared"
            if reason:
                one = OrderJudgement(flow, run_id, "unknown", (reason,))
            else:
                begun = entry if entry is not None and entry.flow == flow else None
                run = _JudgedRun(orders[flow], own, every, begun, services)
                one = run.judgement(run_id)
            found.append(one)
    return found


def entry_of(calls: Sequence[StoredCall]) -> StoredCall | None:
    """Return the call that began a run: the one that gave it its ID.

    Spans and older lines have other IDs. There it is the only call that no other call
    of the run has made.
    """
    for call in calls:
        if call.call_id and call.call_id == call.run_id:
            return call
    inside = set(calls)
    tops = [call for call in calls if call.parent not in inside]
    is_other = len(tops) == 1 and (not tops[0].call_id or tops[0].recorded == "span")
    return tops[0] if is_other else None


def is_foreign(place: StoredPlace, entry: StoredCall | None) -> bool:
    """Tell whether a call belongs to another flow than its run, which *entry* began.

    What a message has brought into the run belongs to its own flow: where it ran, no
    entrypoint was open.
    """
    if entry is None or place.call.flow == entry.flow:
        return False
    hop = place.hop
    if hop is None or hop.call is entry:
        return True
    return run_of(hop.call) != run_of(place.call)


def _why_unknown(calls: Sequence[StoredCall], torn: Sequence[str]) -> str:
    """Return why a run cannot be judged, ``""`` if it can.

    *torn* says which callers of the operation are missing. They may be of any run.
    """
    gaps = gaps_of(calls) or torn
    if gaps:
        return f"lines are missing: {', '.join(gaps)}"
    for call in calls:
        if call.doubts:
            return f"{call.step!r} is not certain: {call.doubts[0]}"
        if call.start_us is None or call.end_us is None:
            return f"no line says when {call.step!r} ran"
    return ""


@dataclass(slots=True)
class _Findings:
    """What was found, each once and in order."""

    broken: dict[str, None] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    calls: dict[StoredCall, None] = field(default_factory=dict)
    rules: list[BrokenRule] = field(default_factory=list)
    contradicted: list[tuple[str, str]] = field(default_factory=list)


class _JudgedRun:
    """The calls of one flow in one run, and those of other flows that it names."""

    def __init__(
        self,
        order: DeclaredOrder,
        places: list[StoredPlace],
        every: Iterable[StoredPlace],
        entry: StoredCall | None,
        services: Collection[str],
    ) -> None:
        bits = [(place, order.bit(place.call.step)) for place in places]
        self._order = order
        self._places = places
        others = every if order.names_others else ()
        named = ((place, order.outside_bit(place.call)) for place in others)
        self._outside = {place: bit for place, bit in named if bit}
        self._ended = EndedSteps([*bits, *self._outside.items()])
        self._in_message = _ended_in_messages(bits)
        self._happened = 0
        for _, bit in bits:
            self._happened |= bit
        step = None if entry is None else order.steps.get(entry.step)
        is_known = step is not None and step.is_entrypoint
        self._entry = entry if is_known else None
        self._services = services
        self._unseen: int | None = None if is_known else -1
        self._found = _Findings()
        self._before: dict[StoredPlace, int] = {}
        self._lost: set[StoredPlace] = set()
        self._begun, self._may_have_begun = self._begun_inside()

    def judgement(self, run_id: str) -> OrderJudgement:
        """Return the verdict."""
        flow = self._order.flow
        taken: Counter[int] = Counter()
        witnessed = possible = 0
        for place in self._places:
            before = self._find_before(place)
            rule = self._order.rule(place.call.step)
            if rule is None:
                name = place.call.step
                self._found.unknown[f"{name!r} is not declared"] = None
                continue
            maybe = self._find_maybe(place, rule, before)
            if place.call is not self._entry:
                self._judge_call(place.call, rule, before, maybe)
            edges = rule.edges_from(before)
            taken[edges] += 1
            witnessed |= edges
            possible |= rule.edges_from(before | maybe)
        self._judge_edges(witnessed, possible)
        found = self._found
        counts = self._order.edge_counts(taken)
        if not found.broken:
            verdict: OrderVerdict = "unknown" if found.unknown else "in order"
            reasons = tuple(found.unknown)
            return OrderJudgement(flow, run_id, verdict, reasons, witnessed=counts)
        if not all(place.call.run_id for place in self._places):
            return OrderJudgement(flow, run_id, "unknown", (_OLDER,), witnessed=counts)
        return OrderJudgement(
            flow,
            run_id,
            "out of order",
            tuple(found.broken),
            tuple(found.edges),
            tuple(found.calls),
            tuple(found.rules),
            tuple(found.contradicted),
            counts,
        )

    def _begun_inside(self) -> tuple[dict[StoredPlace, int], dict[StoredPlace, int]]:
        """Return for each call the generators that began inside it, or may be some.

        They count as before it: they were among its arguments. A generator without
        items looks like any other call if its code is not loaded.
        """
        sure: dict[StoredPlace, int] = {}
        maybe: dict[StoredPlace, int] = {}
        for place in reversed(self._places):
            if place.above is None:
                continue
            call, bit = place.call, self._order.bit(place.call.step)
            kind = call.first_item_us is not None or self._order.is_generator(call.step)
            for found, has_begun in (sure, kind is True), (maybe, kind is not False):
                below = found.get(place, 0) | (bit if has_begun else 0)
                if below:
                    found[place.above] = found.get(place.above, 0) | below
        return sure, maybe

    def _find_before(self, place: StoredPlace) -> int:
        """Return the steps that were certainly before a call."""
        before, above = 0, place.above
        if above is not None:
            before = self._before[above] | self._order.bit(above.call.step)
        if self._outside:
            before |= self._outside_above(place)
        for moment in place.moments():
            before |= self._ended.before(moment)
        in_message = self._in_message.get(place.message())
        if in_message is not None:
            begun = Moment(place.call.start_us or 0, place.wall)
            before |= in_message.before(begun)
        self._before[place] = before
        return before | self._begun.get(place, 0)

    def _outside_above(self, place: StoredPlace) -> int:
        """Return the steps of other flows that were open around a call."""
        found, parent = 0, place.parent
        while parent is not None:
            found |= self._outside.get(parent, 0)
            parent = parent.parent
        return found

    def _find_maybe(self, place: StoredPlace, rule: Rule, before: int) -> int:
        """Return more predecessors that may have been before a call."""
        if place.call is self._entry or place.call.recorded == "late":
            return rule.mask
        if self._is_lost(place):
            return rule.mask
        maybe, moment = self._may_have_begun.get(place, 0), place.moment()
        for bit, _ in rule.edges:
            if not bit & (before | maybe) and self._ended.may_be_before(moment, bit):
                maybe |= bit
        return maybe

    def _is_lost(self, place: StoredPlace) -> bool:
        """Tell whether the calls above a call are unknown.

        It was made in the bare context of the run, in a thread for instance.
        """
        if place.above is not None:
            is_lost = place.above in self._lost
        else:
            is_known = self._entry is None or place.is_hop
            is_lost = not is_known and place.parent is None
        if is_lost:
            self._lost.add(place)
        return is_lost

    def _judge_call(
        self, call: StoredCall, rule: Rule, before: int, maybe: int
    ) -> None:
        """Judge R1 and R3."""
        if not rule.broken(before):
            return
        plan, found, unseen = self._order.plan, self._found, self._find_unseen()
        code = rule.broken(before, maybe | unseen)
        if code:
            missing = missing_before(plan, rule, before | maybe, code)
            found.edges.update(dict.fromkeys((name, call.step) for _, name in missing))
            found.calls[call] = None
            reason = _too_early(call.step, code, [n for _, n in missing])
            found.broken[reason] = None
            found.rules.append(BrokenRule(call.step, code, reason, _caller_of(call)))
            return
        for name in self._order.labels(rule.mask & ~before & maybe):
            found.unknown[_undecided(name, call.step)] = None
        for name in self._order.labels(rule.mask & ~before & ~maybe & unseen):
            text = f"{name!r} may have run before {call.step!r}, unseen"
            found.unknown[text] = None

    def _find_unseen(self) -> int:
        """Return the steps that may have run though no line says so."""
        if self._unseen is None:
            called = {place.call.step for place in self._places}
            self._unseen = self._order.unseen(called, self._services)
        return self._unseen

    def _judge_edges(self, witnessed: int, possible: int) -> None:
        """Judge R2."""
        plan, found = self._order.plan, self._found
        broken = plan.contradicted(self._happened | possible)
        undecided = plan.contradicted(self._happened | witnessed) & ~broken
        for (_, before), (_, after) in plan.edges(broken):
            text = f"both ran, and {before!r} never ended before {after!r}"
            found.contradicted.append((before, after))
            found.rules.append(BrokenRule(after, "R2", text))
            if (before, after) not in found.edges:
                found.edges[before, after] = None
                calls = (one.call for one in self._places if one.call.step == after)
                found.calls.update(dict.fromkeys(calls))
                found.broken[text] = None
        for (_, before), (_, after) in plan.edges(undecided):
            found.unknown[_undecided(before, after)] = None


def _ended_in_messages(
    places: Iterable[tuple[StoredPlace, int]],
) -> dict[Message | None, EndedSteps]:
    """Return what ended in each message that has brought several calls.

    The code that handled it made them, one after the other, whenever it was sent.
    """
    calls: Counter[Message | None] = Counter()
    found: dict[Message | None, list[tuple[StoredPlace, int]]] = {}
    for place, bit in places:
        message = None if place.hop is None else place.hop.message()
        if message is not None:
            calls[message] += place.is_hop
            found.setdefault(message, []).append((place, bit))
    return {one: EndedSteps(found[one]) for one, count in calls.items() if count > 1}


def _caller_of(call: StoredCall) -> str:
    """Return the name of the caller, as ``after`` would name it."""
    caller = call.parent
    if caller is not None and caller.flow != call.flow:
        return f"{caller.flow}:{caller.step}"
    return "" if caller is None else caller.step


def _too_early(step: str, code: str, missing: Sequence[str]) -> str:
    names, verb = " and ".join(map(repr, missing)), "had not"
    if code == "R1" and len(missing) > 1:
        names, verb = f"none of {', '.join(map(repr, missing))}", "had"
    return f"{step!r} was called when {names} {verb} ended"


def _undecided(before: str, step: str) -> str:
    return f"no clock tells whether {before!r} had ended when {step!r} was called"
