"""What an expression stands for, and what is called while it is worked out."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .effects import ANYTHING, State, merged
from .members import Members
from .things import (
    NOTHING,
    Class,
    Foreign,
    Func,
    Instance,
    ModuleRef,
    Running,
    Scope,
    Super,
)
from .verbs import (
    COLLECT,
    FINISH,
    GIVE_BACK,
    KEEP,
    NEVER_POSSIBLE,
    SEND,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .calling import Given
    from .effects import Summary, Visits
    from .things import Things

__all__ = ["Expressions"]

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_PROPERTIES = frozenset({"property", "cached_property"})


class Expressions(Members):
    """The part of a reader that reads expressions.

    Attributes:
        scope: Names, for the functions that are defined in this one.
        local: Names that are this function's own.
        rests: What generators that are being iterated have left to do.
        returned: What the function may give back.
        first: What was found up to the first yield.
    """

    visits: Visits
    scope: Scope
    local: frozenset[str] = frozenset()
    rests: list[Summary]
    returned: Things = NOTHING
    first: tuple[Visits, int, int] | None = None

    def value(self, node: ast.expr | None, state: State) -> Things:
        """Work out *node*: note what is called, return what it may stand for."""
        if node is None or isinstance(node, ast.Constant):
            return NOTHING
        read = _READERS.get(type(node))
        if read is not None:
            return read(self, node, state)
        found = NOTHING
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found |= self.value(child, state)
        return found

    def peek(self, node: ast.expr) -> Things:
        """Return what *node* may stand for, and note nothing."""
        kept, self.visits = self.visits, {}
        try:
            return self.value(node, State())
        finally:
            self.visits = kept

    def assign(self, target: ast.expr, things: Things, state: State) -> None:
        """Give *things* to a name, or to whatever else is on the left."""
        if isinstance(target, ast.Name):
            state.names[target.id] = things
            self.scope.learn(target.id, things)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self.assign(one, things, state)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, things, state)
        elif isinstance(target, ast.Attribute):
            holders = self.value(target.value, state)
            self._hold(holders, target.attr, things, target, state)
        elif isinstance(target, ast.Subscript):
            self.value(target.slice, state)
            self._keep(target.value, things, state)

    def iterate(self, things: Things, node: ast.expr, state: State) -> Things:
        """Begin to iterate *things*; return the items."""
        self.rests += self.consume(things, node, state)
        for thing in things:
            if isinstance(thing, Instance):
                for name in ("__iter__", "__aiter__"):
                    found = self.engine.methods(thing, name)
                    funcs = frozenset(Func(one, thing) for one in found)
                    made = self.call(funcs, [], node, state, "call")
                    self.rests += self.consume(made, node, state)
                    things |= made
        return things

    def _hold(
        self,
        holders: Things,
        name: str,
        things: Things,
        node: ast.expr,
        state: State,
    ) -> None:
        kept = frozenset(t for t in things if not isinstance(t, Running))
        is_ours = False
        for holder in holders:
            if isinstance(holder, Instance | Class):
                site = holder.site if isinstance(holder, Instance) else None
                self.engine.hold(site or holder.klass, name, kept)
                is_ours = True
        if not is_ours:
            self.escape(things, node, state)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            state.names[f"{node.value.id}.{name}"] = things

    def _keep(self, target: ast.expr, things: Things, state: State) -> None:
        """Add *things* to the collection *target*."""
        if isinstance(target, ast.Name):
            known = state.names.get(target.id, NOTHING)
            if target.id in self.local or known:
                state.names[target.id] = known | things
                self.scope.learn(target.id, things)
                return
        elif isinstance(target, ast.Attribute):
            self._hold(
                self.value(target.value, state), target.attr, things, target, state
            )
            return
        self.escape(things, target, state)

    def read_name(self, node: ast.Name, state: State) -> Things:
        """Return what a name stands for."""
        if node.id in state.names:
            return state.names[node.id]
        if node.id in self.local:
            return self.scope.seen.get(node.id, NOTHING)
        outer = self.scope.find(node.id)
        if outer is not None:
            return outer
        known = self.engine.global_value(self.module.name, node.id)
        if known is None:
            return frozenset({Foreign(f"builtins.{node.id}")})
        return known

    def read_attribute(self, node: ast.Attribute, state: State) -> Things:
        """Return what an attribute is; a property is called for it."""
        held = NOTHING
        if isinstance(node.value, ast.Name):
            held = state.names.get(f"{node.value.id}.{node.attr}", NOTHING)
        things = self.attribute(self.value(node.value, state), node.attr, node) | held
        return self._unwrapped(things, node, state)

    def _unwrapped(self, things: Things, node: ast.expr, state: State) -> Things:
        """Call the properties among *things*."""
        properties = frozenset[Func](
            t
            for t in things
            if isinstance(t, Func)
            and isinstance(t.receiver, Instance)
            and t.function.decorators & _PROPERTIES
        )
        if not properties:
            return things
        result = self.call(properties, [], node, state, "call")
        return (things - properties) | (result or self._returned(properties))

    def read_call(self, node: ast.Call, state: State) -> Things:
        """Read a call."""
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super":
            return self._super(node, state)
        if isinstance(func, ast.Attribute):
            base = self.value(func.value, state)
            held = NOTHING
            if isinstance(func.value, ast.Name):
                held = state.names.get(f"{func.value.id}.{func.attr}", NOTHING)
            things = self.attribute(base, func.attr, func) | held
            things = self._unwrapped(things, func, state)
        else:
            base = NOTHING
            things = self.value(func, state)
        given = self._given(node, state)
        called = frozenset(t for t in things if not isinstance(t, Foreign))
        if called and not _is_collection(func, base):
            result = self.call(called, given, func, state, "call")
            return result or self._returned(called)
        return self._unresolved(func, base, things, given, node, state)

    def _given(self, node: ast.Call, state: State) -> Given:
        given: Given = [(None, self.value(one, state)) for one in node.args]
        given += [(one.arg, self.value(one.value, state)) for one in node.keywords]
        return given

    def _unresolved(
        self,
        func: ast.expr,
        base: Things,
        things: Things,
        given: Given,
        node: ast.Call,
        state: State,
    ) -> Things:
        """Read a call of what this program does not define."""
        name = func.attr if isinstance(func, ast.Attribute) else ""
        foreign = next((t.name for t in things if isinstance(t, Foreign)), "")
        name = name or foreign.rpartition(".")[2].removesuffix("()")
        everything = NOTHING.union(*(one for _, one in given))
        special = self._special(foreign, node, state)
        if special is not None:
            return special
        if foreign.startswith("penstock.") and not foreign.endswith("bind_flow"):
            return frozenset({Foreign(f"{foreign}()")})
        if isinstance(func, ast.Attribute):
            done = self._method(func, base, name, everything, state)
            if done is not None:
                return done
        owner = ""
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            owner = func.value.id
        done = self.by_verb(name, owner, given, node, state)
        if done is not None:
            return done
        possible = self._possible(func, things, base, state)
        if possible:
            return self.call(possible, given, func, state, "possible")
        self.go_on(self.consume(everything, node, state), node, state)
        self.escape(everything, node, state)
        kept = everything if name in GIVE_BACK else NOTHING
        return kept | ({Foreign(f"{foreign}()")} if foreign else NOTHING)

    def _method(
        self,
        func: ast.Attribute,
        base: Things,
        name: str,
        everything: Things,
        state: State,
    ) -> Things | None:
        """Read a method of a collection, of a function, or of work that goes on."""
        if name in FINISH and any(isinstance(t, Running) for t in base):
            self.finish(base, state)
            return base
        if name in KEEP and not any(isinstance(t, Foreign) for t in base):
            self._keep(func.value, everything, state)
            return base | everything
        functions = frozenset(t for t in base if isinstance(t, Func))
        if not functions:
            return base if name in COLLECT and base else None
        if name in COLLECT:
            return base | everything
        if name in SEND:
            self.escape(functions, func, state)
            self.escape(everything, func, state)
            return functions
        return None

    def _possible(
        self, func: ast.expr, things: Things, base: Things, state: State
    ) -> Things:
        """Return the one step of that name; of several note that each may have run."""
        if not isinstance(func, ast.Attribute) or not self._is_unknown(base):
            return NOTHING
        if any(isinstance(t, Foreign) and not _is_result(t) for t in things):
            return NOTHING
        if func.attr in NEVER_POSSIBLE:
            return NOTHING
        named = self.engine.program.named.get(func.attr, [])
        steps = [one for one in named if one in self.engine.bits]
        real = [one for one in named if not one.is_abstract or one in steps]
        if len(steps) == 1 and real == steps:
            (one,) = steps
            receiver = Instance(one.klass) if one.klass else None
            return frozenset({Func(one, receiver)})
        for one in steps:
            state.may |= self.engine.bits[one]
        return NOTHING

    def _special(self, name: str, node: ast.Call, state: State) -> Things | None:
        """Read what looks things up by name."""
        last = name.rpartition(".")[2]
        if name in {"builtins.getattr", "operator.attrgetter"} and node.args[1:]:
            return self._by_name(node.args[0], node.args[1], node, state)
        if last == "import_module" and node.args:
            return self._modules(node)
        if name == "builtins.__import__" and node.args:
            return self._modules(node, only_first=True)
        if name == "builtins.type" and len(node.args) == 1:
            things = self.value(node.args[0], state)
            kinds = (t for t in things if isinstance(t, Instance))
            return frozenset(Class(t.klass, t.is_exact) for t in kinds)
        if name in {"builtins.globals", "builtins.vars", "builtins.locals"}:
            return frozenset({Foreign(_NAMESPACE)})
        return None

    def _by_name(
        self, holder: ast.expr, name: ast.expr, node: ast.Call, state: State
    ) -> Things:
        holders = self.value(holder, state)
        pattern = _pattern(name)
        found = NOTHING
        for default in node.args[2:]:
            found |= self.value(default, state)
        if pattern is None:
            if any(isinstance(t, Instance | Class | ModuleRef) for t in holders):
                state.may |= ANYTHING
            return found
        for thing in holders:
            for known in self._names_of(thing):
                if pattern.fullmatch(known):
                    found |= self._attribute_of(thing, known)
        return found

    def _modules(self, node: ast.Call, *, only_first: bool = False) -> Things:
        pattern = _pattern(node.args[0])
        if pattern is None:
            return NOTHING
        first = node.args[0]
        if isinstance(first, ast.Constant) and str(first.value).startswith("."):
            package = _text(node.args[1]) if node.args[1:] else self.module.name
            pattern = re.compile(re.escape(package + str(first.value)))
        modules = self.engine.program.modules
        names = [name for name in modules if pattern.fullmatch(name)]
        if only_first:
            names = [name.partition(".")[0] for name in names]
        return frozenset(ModuleRef(name) for name in names)

    def read_subscript(self, node: ast.Subscript, state: State) -> Things:
        """Return what a collection holds."""
        base = self.value(node.value, state)
        self.value(node.slice, state)
        if Foreign(_NAMESPACE) not in base:
            return frozenset(t for t in base if not isinstance(t, Foreign)) | (
                frozenset({Foreign(f"{next(iter(base))}[]()")})
                if base and all(isinstance(t, Foreign) for t in base)
                else NOTHING
            )
        pattern = _pattern(node.slice)
        if pattern is None:
            state.may |= ANYTHING
            return NOTHING
        names = self.engine.program.globals.get(self.module.name, {})
        found = (self._global(self.module.name, n) for n in names if pattern.match(n))
        return NOTHING.union(*found)

    def _super(self, node: ast.Call, state: State) -> Things:
        function = self.body.func.function if self.body else None
        klass = function.klass if function else None
        if node.args:
            for thing in self.value(node.args[0], state):
                if isinstance(thing, Class):
                    klass = thing.klass
        if klass is None or self.body is None:
            return NOTHING
        return frozenset({Super(klass, self.body.func.receiver)})

    def read_lambda(self, node: ast.Lambda, _state: State) -> Things:
        """Return the function that a lambda is."""
        function = self.engine.program.defined[node]
        return frozenset({Func(function, None, self.scope)})  # type: ignore[arg-type]  # a lambda defines no class

    def read_named(self, node: ast.NamedExpr, state: State) -> Things:
        """Read ``name := value``."""
        things = self.value(node.value, state)
        self.assign(node.target, things, state)
        return things

    def read_choice(self, node: ast.IfExp, state: State) -> Things:
        """Read ``one if test else other``."""
        self.value(node.test, state)
        yes, no = state.branch(), state.branch()
        found = self.value(node.body, yes) | self.value(node.orelse, no)
        state.become(merged([yes, no], certain=state.is_certain))
        return found

    def read_bool(self, node: ast.BoolOp, state: State) -> Things:
        """Read ``and`` and ``or``: only the first is sure to be looked at."""
        first, *others = node.values
        found = self.value(first, state)
        ways = [state.copy()]
        way = state.branch()
        for other in others:
            found |= self.value(other, way)
            ways.append(way.copy())
        state.become(merged(ways, certain=state.is_certain))
        return found

    def read_compare(self, node: ast.Compare, state: State) -> Things:
        """Read a comparison, which calls nothing that is a step."""
        for one in (node.left, *node.comparators):
            self.value(one, state)
        return NOTHING

    def read_await(self, node: ast.Await, state: State) -> Things:
        """Read ``await``."""
        return self.wait_for(self.value(node.value, state), node.value, state)

    def read_comprehension(self, node: _Comprehension, state: State) -> Things:
        """Read a comprehension: a loop."""
        inner = state.branch()
        ways = [state.copy()]
        for part in node.generators:
            items = self.iterate(self.value(part.iter, inner), part.iter, inner)
            ways.append(inner.copy())
            inner.is_first, inner.is_certain = (
                True,
                inner.is_certain or not (inner.is_first),
            )
            self.assign(part.target, items, inner)
            for test in part.ifs:
                self.value(test, inner)
                inner.is_certain = False
        found = self._items(node, inner)
        ways.append(inner.copy())
        again = merged(ways, certain=False)
        again.is_first, again.is_certain = state.is_first, False
        for part in node.generators:
            for test in part.ifs:
                self.value(test, again)
        found |= self._items(node, again)
        after = merged([*ways, again], certain=state.is_certain)
        after.is_first, after.is_certain = state.is_first, state.is_certain
        state.become(after)
        return found

    def _items(self, node: _Comprehension, state: State) -> Things:
        if isinstance(node, ast.DictComp):
            return self.value(node.key, state) | self.value(node.value, state)
        return self.value(node.elt, state)

    def read_text(self, node: ast.JoinedStr, state: State) -> Things:
        """Read an f-string."""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.value(part.value, state)
                self.value(part.format_spec, state)
        return NOTHING

    def read_yield(self, node: ast.Yield, state: State) -> Things:
        """Read ``yield``: what it gives is for whoever iterates."""
        self.returned |= self.value(node.value, state)
        self._split(state)
        return NOTHING

    def read_yield_from(self, node: ast.YieldFrom, state: State) -> Things:
        """Read ``yield from``."""
        rests = self.consume(self.value(node.value, state), node.value, state)
        self._split(state)
        self.go_on(rests, node, state)
        return NOTHING

    def _split(self, state: State) -> None:
        """Keep what was found so far apart from what comes after the first yield."""
        if self.first is None:
            self.first = self.visits, state.may, state.must
            self.visits = {}


_NAMESPACE = "builtins.globals()"


def _pattern(node: ast.expr) -> re.Pattern[str] | None:
    """Return what a text that is made at run time must look like, if that says much."""
    if isinstance(node, ast.Constant):
        return re.compile(re.escape(str(node.value)))
    parts: Sequence[ast.expr] = ()
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [_text(part) for part in parts]
    if not any(texts):
        return None
    return re.compile("".join(re.escape(text) if text else ".*" for text in texts))


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _is_result(thing: Foreign) -> bool:
    return "()" in thing.name


def _is_collection(func: ast.expr, base: Things) -> bool:
    """Tell whether a method is that of a collection of functions."""
    return (
        isinstance(func, ast.Attribute)
        and func.attr in SEND | COLLECT
        and any(isinstance(t, Func) for t in base)
    )


_READERS: dict[type[ast.expr], Callable[..., Things]] = {
    ast.Name: Expressions.read_name,
    ast.Attribute: Expressions.read_attribute,
    ast.Call: Expressions.read_call,
    ast.Subscript: Expressions.read_subscript,
    ast.Lambda: Expressions.read_lambda,
    ast.NamedExpr: Expressions.read_named,
    ast.IfExp: Expressions.read_choice,
    ast.BoolOp: Expressions.read_bool,
    ast.Compare: Expressions.read_compare,
    ast.Await: Expressions.read_await,
    ast.ListComp: Expressions.read_comprehension,
    ast.SetComp: Expressions.read_comprehension,
    ast.GeneratorExp: Expressions.read_comprehension,
    ast.DictComp: Expressions.read_comprehension,
    ast.JoinedStr: Expressions.read_text,
    ast.Yield: Expressions.read_yield,
    ast.YieldFrom: Expressions.read_yield_from,
}
