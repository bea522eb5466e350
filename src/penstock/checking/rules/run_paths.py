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

__all__ = ["Visit", "follow"]

_MAX_CONTEXTS = 12


class Visit(NamedTuple):
    """One way in which a run may reach a call of a step."""

    declared: Declared
    site: Site
    context: Context
    way: tuple[str, ...]


def follow(
    interpreter: Interpreter, steps: Steps, declarations: Declarations, entry: Declared
) -> Iterator[Visit]:
    """Follow a run from its entrypoint; yield every call of a step that it reaches."""
    assert entry.function is not None  # noqa: S101  # the caller has asked
    flow = entry.flow.name
    bit = interpreter.bits[entry.function]
    todo: list[tuple[Invocation, Context, tuple[str, ...]]] = [
        (Invocation(Func(entry.function)), Context(bit, bit), (entry.step.name,)),
    ]
    seen: dict[Invocation, set[Context]] = {}
    while todo:
        invocation, around, way = todo.pop()
        if not _is_new(seen, invocation, around):
            continue
        for site, inner in _sites(interpreter, invocation):
            if around.is_first and not inner.is_certain:
                continue  # the second time around the loop tells
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
                    yield Visit(declared, site, context, further)
            begins = any(one.is_entrypoint for one in steps.of[called])
            if begins and not any(not one.is_entrypoint for one in own):
                continue  # a run of its own, which is followed from there
            bit = interpreter.bits[called]
            inside = context._replace(may=context.may | bit, must=context.must | bit)
            todo.append((site.invocation, inside, further))


def _is_new(
    seen: dict[Invocation, set[Context]], invocation: Invocation, context: Context
) -> bool:
    contexts = seen.setdefault(invocation, set())
    if context in contexts or any(_covers(old, context) for old in contexts):
        return False
    contexts.add(context)
    return len(contexts) <= _MAX_CONTEXTS


def _covers(old: Context, new: Context) -> bool:
    """Tell whether *old* shows whatever *new* could: it knows less to have run."""
    return (
        old.is_first == new.is_first
        and old.may == new.may
        and old.must & new.must == old.must
    )


def _sites(
    interpreter: Interpreter, invocation: Invocation
) -> Iterator[tuple[Site, Context]]:
    summary = interpreter.summary(invocation)
    for part in summary.parts:
        for site, contexts in part.visits.items():
            for context in sorted(contexts):
                yield site, context
