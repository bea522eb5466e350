"""What every function of the program does, each read once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .attributes import Attributes
from .classes import Classes
from .decorators import Decorators
from .effects import ANYTHING, Invocation, Summary
from .heap import Heap
from .names import GlobalNames
from .nesting import MAX_DEPTH, TooDeepError
from .values import NOTHING, Class, Func, Instance

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Collection, Iterable, Mapping

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function, Klass
    from penstock.checking.project.program import Program
    from penstock.checking.project.steps import Steps
    from penstock.checking.resolvers.base import Resolver

    from .decorators import Readers
    from .effects import PathState
    from .values import Generator, Values

__all__ = ["Interpreter"]

_MAX_INVOCATIONS = 8  # of one function, with different arguments
_MAX_RESTARTS = 3  # from one function; one in another is a new one each time


class Interpreter:
    """Reads functions, each once for the arguments that matter.

    Attributes:
        is_draft: Whether what may have run is only what is seen to run: nothing that an
            unknown call may reach by its name, or that an earlier iteration has run.
        queued: Functions that a message has called, although the code calls them.
        depth: How deep in expressions, statements and calls the reading is.
        too_deep: Functions that are nested too deeply to read to the end.
    """

    def __init__(
        self,
        program: Program,
        steps: Steps,
        resolver: Resolver,
        readers: Callable[[Interpreter], Readers],
        *,
        is_draft: bool = False,
        queued: Collection[Function] = (),
    ) -> None:
        self.program: Program = program
        self.is_draft: bool = is_draft
        self.queued: Collection[Function] = queued
        self.bits: Mapping[Function, int] = steps.bits
        self.readers: Readers = readers(self)
        self.heap: Heap = Heap()
        self.classes: Classes = Classes(program, self.readers.evaluate)
        self.decorators: Decorators = Decorators(
            program, steps.bits, self.heap, self.readers
        )
        self.names: GlobalNames = GlobalNames(
            program, self.heap, self.decorators, self.readers
        )
        self.attributes: Attributes = Attributes(
            program,
            self.heap,
            self.classes,
            self.decorators,
            self.names,
            self.readers,
            self._ask,
            self._read_method,
        )
        self.depth: int = 0
        self.too_deep: dict[Function, None] = {}
        self._steps = steps
        self._resolver = resolver
        self._answers: dict[tuple[str, int, int], tuple[Function, ...]] = {}
        self._named_in: dict[str, int] = {}
        self._is_importing = False
        self._has_guessed = False
        self._before: dict[Invocation, Summary] = {}
        self._summaries: dict[Invocation, Summary] = {}
        self._invocations: dict[Function, set[Invocation]] = {}
        self._open: list[Invocation] = []
        self._waiting: list[Invocation] = []
        self._restarts: Counter[Function] = Counter()

    def begin_round(self) -> None:
        """Read everything again, with what the round before has found."""
        self._has_guessed = self.heap.has_grown = False
        self.too_deep.clear()
        self._restarts.clear()
        self._before, self._summaries = self._summaries, {}
        self._forget()
        self._is_importing = True
        self.decorators.import_all()
        self._is_importing = False
        self._summaries = {}
        self._forget()

    @property
    def needs_more(self) -> bool:
        """Whether another round would find more."""
        return self._has_guessed or self.heap.has_grown

    def _forget(self) -> None:
        self._invocations.clear()
        for part in (self.decorators, self.names, self.attributes):
            part.forget()

    def summary(self, invocation: Invocation) -> Summary:
        """Return what one call does.

        Raises:
            TooDeepError: The call is nested too deeply to read it from here.
        """
        function = invocation.func.function
        if function not in self.decorators.wrapping:
            invocation = self._bounded(invocation)
        known = self._summaries.get(invocation)
        if known is not None:
            return known
        around = (*self._waiting, *self._open)
        if sum(one.func.function is function for one in around) > 1:
            # A recursive call: what the round before has found will do.
            self._has_guessed = True
            return self._before.get(invocation) or Summary()
        if not self._open:
            return self._read_from_here(invocation)
        if self.depth < MAX_DEPTH:
            return self._read(invocation)
        if self._restarts[function] < _MAX_RESTARTS:
            raise TooDeepError(invocation)
        return self._before.get(invocation) or Summary(may=ANYTHING)

    def summary_of(self, generator: Generator) -> Summary:
        """Return what the body of a generator does."""
        return self.summary(Invocation(generator.func, generator.arguments))

    def _read(self, invocation: Invocation) -> Summary:
        self.depth += 2
        self._open.append(invocation)
        try:
            summary = self.readers.read(invocation)
        finally:
            self._open.pop()
        self.depth -= 2
        self._summaries[invocation] = summary
        return summary

    def _read_from_here(self, invocation: Invocation) -> Summary:
        """Read a function; what is too deep in it is read first, from here."""
        depth = self.depth
        todo = [invocation]
        while True:
            self.depth, self._waiting = depth, todo[:-1]
            try:
                summary = self._read(todo[-1])
            except TooDeepError as exc:
                todo.append(exc.invocation)
                self._restarts[exc.invocation.func.function] += 1
                continue
            except RecursionError:
                # There is less stack than usual.
                summary = self._summaries[todo[-1]] = Summary(may=ANYTHING)
                self.too_deep[todo[-1].func.function] = None
            todo.pop()
            if not todo:
                self.depth, self._waiting = depth, []
                return summary

    def give_up(self, state: PathState) -> Values:
        """Go no deeper: start over from the function being read, or say so.

        Raises:
            TooDeepError: The depth is that of the calls around the function.
        """
        for last in self._open[-1:]:
            if len(self._open) == 1:
                self.too_deep[last.func.function] = None
            elif self._restarts[last.func.function] < _MAX_RESTARTS:
                raise TooDeepError(last)
        state.may |= ANYTHING
        return NOTHING

    def _bounded(self, invocation: Invocation) -> Invocation:
        """Return the invocation, or a general one where there are too many."""
        if invocation in self._summaries:
            return invocation
        func = invocation.func
        known = self._invocations.setdefault(func.function, set())
        if invocation not in known and len(known) >= _MAX_INVOCATIONS:
            return Invocation(Func(func.function, _general(func), func.scope))
        known.add(invocation)
        return invocation

    def read_steps(self) -> list[tuple[Invocation, Summary]]:
        """Return what every step does, for all arguments that it was read with."""
        return [
            (invocation, summary)
            for invocation, summary in self._summaries.items()
            if self.bit(invocation.func)
        ]

    def bit(self, func: Func) -> int:
        """Return the bit of the step that a call of *func* is; 0 for a plain call.

        A method that overrides a step, such as one of a mixin, is the step only on
        objects of a class with the step.
        """
        bit = 0 if func.is_plain else self._steps.bits.get(func.function, 0)
        overridden = self._steps.overridden.get(func.function) if bit else None
        if overridden and func.receiver is not None:
            classes = self.classes.may_be(func.receiver)
            bases = {base for one in classes for base in self.classes.bases(one)}
            return bit if any(one.klass in bases for one in overridden) else 0
        return bit

    def steps_named(self, method: str) -> int:
        """Return the steps that are methods of that name, as a mask."""
        mask = 0
        for one in () if self.is_draft else self.program.named.get(method, ()):
            mask |= self.bits.get(one, 0) if one.klass is not None else 0
        return mask

    def steps_named_in(self, method: str) -> int:
        """Return the steps that any method of that name has in its code, as a mask."""
        if method not in self._named_in:
            named, mask = self.program.named, 0
            for one in () if self.is_draft else named.get(method, ()):
                for name in one.names if one.klass is not None else ():
                    for step in named.get(name, ()):
                        mask |= self.bits.get(step, 0)
            self._named_in[method] = mask
        return self._named_in[method]

    def sent(self, steps: int) -> int:
        """Return the bits that say that a message which runs *steps* was sent.

        Those of messages sent in it, and ``ANYTHING``, stay as they are.
        """
        own = (2 << len(self.bits)) - 2
        return (steps & own) << len(self.bits) | (steps & ~own)

    def sent_in(self, mask: int) -> int:
        """Return the steps that messages sent according to *mask* run."""
        return mask >> len(self.bits) & ~ANYTHING

    def _read_method(self, function: Function, klass: Klass) -> None:
        if all(one.func.function is not function for one in self._open):
            self.summary(Invocation(Func(function, Instance(klass))))

    def _ask(self, module: Module, node: ast.Attribute) -> Iterable[Function]:
        """Return the functions that the resolver says *node* is."""
        name = node.attr
        if name not in self.decorators.leading or name not in self.program.named:
            return ()
        if self._is_importing:
            return ()  # much more is read than the resolver can be asked about
        column = (node.end_col_offset or 0) - len(name.encode())
        key = (module.path, node.end_lineno or node.lineno, column)
        if key not in self._answers:
            places = self._resolver.definitions(*key)
            found = [self.program.function_at(one.path, one.line) for one in places]
            ours = dict.fromkeys(one for one in found if one is not None)
            self._answers[key] = tuple(ours)
        return self._answers[key]


def _general(func: Func) -> Instance | Class | None:
    """Return what stands for all objects that a method may be called on."""
    if isinstance(func.receiver, Class):
        return Class(func.receiver.klass, is_exact=False)
    klass = func.function.klass
    return Instance(klass) if klass and func.receiver else func.receiver
