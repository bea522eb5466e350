"""Follow a run from its entrypoint through the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock.checking.interpreter.effects import Context, Invocation, Site
from penstock.checking.interpreter.values import Func

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.checking.interpreter.interpreter import Interpreter
    from penstock.checking.project.steps import Steps

    from .declarations import Declarations, Declared

_MAX_CONTEXTS = 12

_Message = Invocation | None  # the task that a message runs; None without a message


class Visit(NamedTuple):
    """One way in which a run may reach a call of a step.

    Attributes:
        declared: The step, as declared in one of its flows.
        site: Where it is called.
        context: What has run then.
        way: The steps from the entrypoint to this one.
        sent: Steps that messages sent earlier may run, or may have run.
        siblings: Steps that the run calls outside the message that makes this call:
            they may run before or after it.
    """

    declared: Declared
    site: Site
    context: Context
    way: tuple[str, ...]
    sent: int
    siblings: int = 0


def follow(
    interpreter: Interpreter, steps: Steps, declarations: Declarations, entry: Declared
) -> Iterator[Visit]:
    """Follow a run from its entrypoint; yield every call of a step that it reaches."""
    found = list(_follow(interpreter, steps, declarations, entry))
    called: dict[_Message, int] = {}
    for visit, message in found:
        bit = steps.bits[visit.site.invocation.func.function]
        called[message] = called.get(message, 0) | bit
    for visit, message in found:
        siblings = 0
        for other, mask in called.items() if message is not None else ():
            siblings |= mask if other != message else 0
        yield visit._replace(siblings=siblings)


def _follow(
    interpreter: Interpreter, steps: Steps, declarations: Declarations, entry: Declared
) -> Iterator[tuple[Visit, _Message]]:
    """Yield every call of a step, with the message that made its caller run."""
    assert entry.function is not None  # noqa: S101  # checked by the caller
    flow = entry.flow.name
    bit = interpreter.bits[entry.function]
    todo: list[tuple[Invocation, Context, tuple[str, ...], _Message]] = [
        (Invocation(Func(function)), Context(bit, bit), (entry.step.name,), None)
        for function in (entry.function, *steps.overrides.get(entry.function, ()))
    ]
    seen: dict[tuple[Invocation, _Message], set[Context]] = {}
    while todo:
        invocation, around, way, message = todo.pop()
        if not _is_new(seen.setdefault((invocation, message), set()), around):
            continue
        for site, inner in _sites(interpreter, invocation):
            if around.is_first and not inner.is_certain:
                continue  # the next iteration of the loop decides
            context = Context(
                around.may | inner.may,
                around.must | inner.must,
                around.is_first or inner.is_first,
                around.is_certain and inner.is_certain,
            )
            called = site.invocation.func.function
            own = [one for one in steps.of[called] if one.flow == flow]
            name = own[0].name if own else steps.of[called][0].name
            further = (*way, name)
            for info in steps.of[called]:
                declared = declarations.of(info.flow, info.name)
                if declared is not None:
                    sent = interpreter.sent_in(context.may)
                    yield Visit(declared, site, context, further, sent), message
            begins = any(one.is_entrypoint for one in steps.of[called])
            if begins and not any(not one.is_entrypoint for one in own):
                continue  # a run of its own, which is followed from there
            bit = interpreter.bits[called]
            after = context._replace(may=context.may | bit, must=context.must | bit)
            brought_by = site.invocation if site.is_sent else message
            todo.append((site.invocation, after, further, brought_by))


def _is_new(seen: set[Context], context: Context) -> bool:
    if any(_covers(old, context) for old in seen):
        return False
    seen.add(context)
    return len(seen) <= _MAX_CONTEXTS


def _covers(old: Context, new: Context) -> bool:
    """Return whether *new* can show nothing that *old* does not: more must have run."""
    return (
        old.is_first == new.is_first
        and old.may == new.may
        and old.must & new.must == old.must
    )


def _sites(
    interpreter: Interpreter, invocation: Invocation
) -> Iterator[tuple[Site, Context]]:
    for part in interpreter.summary(invocation).parts:
        for site, contexts in part.visits.items():
            for context in sorted(contexts):
                yield site, context
