"""Choose the dozen functions that a person would draw."""

from __future__ import annotations

import ast
import math
import re
from typing import TYPE_CHECKING, NamedTuple

from penstock.checking.project.functions_and_classes import last_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from penstock.checking.project.functions_and_classes import Function

    from .reading import Reached, Reading

__all__ = ["Choice", "Choices", "choose", "find_callers", "find_group", "is_guess"]

_MAX_CALLERS = 3  # among the chosen steps; more make a hub
_MANY_OVERRIDES = 3  # what only such a method calls is a detail of one of them
_MAX_WRAPPER = 25  # lines; a longer function does more than call one of its name
_MIN_SCORE = 0.4  # of what is drawn; helpers and lookups have less


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DOES = _words(
    """
    accept activate allocate apply approve archive assign authorize backup book
    build calculate cancel capture charge checkout close commit complete confirm
    connect crawl create deactivate decline delete deliver deploy dispatch download
    email enqueue escalate execute export extract fetch finalize finish fulfill
    generate handle import index ingest install invoice issue link load mail merge
    migrate move notify open order pay perform persist place post prepare process
    provision publish pull push receive record refund register reject release remove
    reopen request reserve reset resolve restore resume retry revoke run save
    schedule scrape send settle ship split start stop store submit subscribe sync
    transfer transform trigger update upload validate verify void withdraw write
    """
)
_ASKS = _words(
    """
    as by check clean clear compare convert count decode encode ensure exists filter
    find format from get has hash is iter key list log make map match normalize
    parse read redirect render resolve search select serialize set should str to
    wrap
    """
)
_EFFECTS = _words(
    """
    add apply_async bulk_create bulk_update call commit create delay delete execute
    get_or_create insert mkdir post publish put remove save send send_mail
    send_message submit unlink update upload write
    """
)
_STORES = _words(
    "add all bulk create delete get insert load many one put read remove save set "
    "update"
)
_SAYS_NOTHING = _words("async do impl inner internal task")
_ASIDE = _words("error exception log logging debug")
_WIRING = _words(
    """
    cached_property computed_field contextmanager deleter field_serializer
    field_validator fixture hybrid_property model_serializer model_validator overload
    property root_validator setter validator
    """
)


class Choice(NamedTuple):
    """A function that was chosen, or could be.

    Attributes:
        reached: The function; of several overrides the first that is called.
        overrides: How many functions it stands for: those that override one method.
        score: How well it fits.
        why: The reasons for the score, in words.
    """

    reached: Reached
    overrides: int
    score: float
    why: str


class Choices(NamedTuple):
    """What was chosen of everything that the entry leads to.

    Attributes:
        steps: The chosen functions, in the order of execution, the entry first.
        hubs: Functions that too many of the steps call to draw them.
        others: Functions that could be steps and were left out, the best first.
    """

    steps: Sequence[Choice]
    hubs: Sequence[Choice]
    others: Sequence[Choice]


def choose(reading: Reading, size: int) -> Choices:
    """Choose about *size* functions, the entry included."""
    entry = reading.reached[reading.entry]
    nouns = _nouns(entry.function)
    ranked = sorted(
        _candidates(reading, nouns), key=lambda one: (-one.score, one.reached.position)
    )
    steps = [Choice(entry, 1, 0.0, "entry")]
    hubs: list[Choice] = []
    fitting = (one for one in ranked if one.score >= _MIN_SCORE)
    while True:
        for one in fitting:
            if not any(_repeats(one, other) for other in steps):
                steps.append(one)
            if len(steps) == size:
                break
        hub = _hub(reading, steps)
        if hub is None:
            break
        steps.remove(hub)
        hubs.append(hub)
    steps.sort(key=lambda one: one.reached.position)
    drawn = {id(one) for one in (*steps, *hubs)}
    return Choices(steps, hubs, [one for one in ranked if id(one) not in drawn])


def find_group(reading: Reading, function: Function) -> Collection[Function]:
    """Return *function* and what overrides the same method."""
    top = reading.overridden.get(function)
    if top is None:
        return [function]
    return [one for one, other in reading.overridden.items() if other is top]


def _candidates(reading: Reading, nouns: frozenset[str]) -> Iterable[Choice]:
    groups: dict[Function, list[Reached]] = {}
    for one in reading.reached.values():
        if one.function is not reading.entry and _can_be_step(one.function):
            groups.setdefault(
                reading.overridden.get(one.function, one.function), []
            ).append(one)
    variants = {
        one.function
        for members in groups.values()
        if len(members) >= _MANY_OVERRIDES
        for one in members
    }
    for members in groups.values():
        scored = _scored(members, nouns)
        if all(variants.issuperset(one.callers) for one in members):
            scored = scored._replace(score=scored.score - 0.8)
        yield scored


def _can_be_step(function: Function) -> bool:
    return not (
        "<" in function.qualname
        or function.name.startswith("__")
        or function.decorators & _WIRING
        or function.name == "send_robust"  # of a signal; the receivers do the work
        or function.is_abstract
    )


def _scored(members: Sequence[Reached], nouns: frozenset[str]) -> Choice:
    first = members[0]
    function = first.function
    words = _parts(function.name)
    own = frozenset(words) | _home(function)
    verb = words[0] if words else ""
    lines = max(_lines(one.function) for one in members)
    called = min(len({*one.callers}) for one in members)
    facts: list[tuple[float, str]] = [
        (-0.5 * min(first.distance - 1, 6), _away(first.distance)),
        (min(math.log2(lines + 1), 6) / 2 - 1.5, f"{lines} lines"),
    ]
    shared = nouns & own
    if shared:
        bonus = 1.0 if nouns & frozenset(words) else 0.4
        facts.append((bonus, f"about {min(shared)!r}"))
    if verb in _DOES:
        facts.append((1.2, f"the verb {verb!r}"))
    elif verb in _ASKS:
        facts.append((-1.5, ""))
    if _ASIDE.intersection(words):
        facts.append((-1.5, ""))
    effect = next(filter(None, map(_effect, (one.function for one in members))), "")
    if effect:
        facts.append((0.8, f"calls {effect}()"))
    if function.klass is not None and _STORES.issuperset(words):
        facts.append((-1.0, ""))  # of what, only the class says
    if called > 1:
        facts.append((-0.5 * math.log2(called), ""))
    if all(one.is_guess for one in members):
        facts.append((-1.0, "only its name says that it is called"))
    if all(one.is_sent for one in members):
        facts.append((1.0, "a message runs it"))
    why = ", ".join(text for _, text in facts if text)
    return Choice(first, len(members), sum(points for points, _ in facts), why)


def _repeats(one: Choice, other: Choice) -> bool:
    """Return whether one of two steps wraps the other, by its name or its length."""
    pairs = ((one.reached, other.reached), (other.reached, one.reached))
    return any(
        caller.function in called.callers and _wraps(caller.function, called.function)
        for caller, called in pairs
    )


def _wraps(caller: Function, called: Function) -> bool:
    if caller.name == called.name:
        return _lines(caller) <= _MAX_WRAPPER
    return _said(caller) == _said(called)


def _said(function: Function) -> frozenset[str]:
    return frozenset(function.name.lower().split("_")) - _SAYS_NOTHING - {""}


def _hub(reading: Reading, steps: Sequence[Choice]) -> Choice | None:
    """Return the step that most of the others call, if these are too many."""
    drawn = [one.reached.function for one in steps]
    worst, most = None, _MAX_CALLERS
    for one in steps[1:]:
        callers = len(find_callers(reading, one.reached.function, drawn))
        if callers > most:
            worst, most = one, callers
    return worst


def find_callers(
    reading: Reading, step: Function, drawn: Iterable[Function]
) -> set[Function]:
    """Return those of *drawn* that call *step*, directly or through others."""
    step_of = {each: one for one in drawn for each in find_group(reading, one)}
    todo = list(find_group(reading, step))
    seen: set[Function] = set(todo)
    found: set[Function] = set()
    while todo:
        for caller in reading.reached[todo.pop()].callers.keys() - seen:
            seen.add(caller)
            if caller in step_of:
                found.add(step_of[caller])
            else:
                todo.append(caller)
    return found


def is_guess(reading: Reading, step: Function, drawn: Collection[Function]) -> bool:
    """Return whether only a name says that one of *drawn* leads to *step*."""
    stops = {each for one in drawn for each in find_group(reading, one)}
    todo = list(find_group(reading, step))
    seen = set(todo)
    has_guess = False
    while todo:
        one = reading.reached[todo.pop()]
        if one.is_guess:
            has_guess = True
            continue
        if not stops.isdisjoint(one.callers.keys() - {one.function}):
            return False
        todo += one.callers.keys() - seen
        seen.update(one.callers)
    return has_guess


def _nouns(function: Function) -> frozenset[str]:
    words = frozenset(_parts(function.qualname.replace(".", "_"))) | _home(function)
    return frozenset(
        word
        for word in words
        if word not in _DOES | _ASKS | _STORES
        if len(word) > 2  # noqa: PLR2004  # "of", "id"
    ) - _words(
        "api base command common controller core data endpoint flow handler helper lib "
        "new route router self service task util utils view"
    )


def _home(function: Function) -> frozenset[str]:
    """Return the words of the module's own name, and of the package around it."""
    return frozenset(_parts("_".join(function.module.name.split(".")[1:][-2:])))


def _parts(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return [re.sub(r"(?<=..[^s])s$", "", one) for one in spaced.split("_") if one]


def _away(distance: int) -> str:
    return "called by the entry" if distance == 1 else f"{distance} calls away"


def _lines(function: Function) -> int:
    return (function.node.end_lineno or 0) - function.node.lineno + 1


def _effect(function: Function) -> str:
    for node in function.own_nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = last_name(node.func)
            if name in _EFFECTS:
                return name
    return ""
