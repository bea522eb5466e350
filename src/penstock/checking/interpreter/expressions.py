"""What an expression stands for, what it calls, and where values are kept."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, ClassVar

from penstock.checking.project.ast_walk import children
from penstock.checking.project.functions_and_classes import Function

from .calls import Calls, combined
from .effects import ANYTHING, merged
from .known_functions import (
    AT_A_SIGNAL,
    COLLECT,
    FINISH,
    GIVE_BACK,
    KEEP,
    NEVER_POSSIBLE,
    SIGNATURE,
)
from .nesting import MAX_DEPTH
from .values import (
    NOTHING,
    Class,
    Foreign,
    Func,
    Instance,
    Message,
    ModuleRef,
    Running,
    Super,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .binding import Given
    from .effects import Frame, PathState, Summary
    from .interpreter import Interpreter
    from .values import Values

__all__ = ["Expressions"]

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_PROPERTIES = frozenset({"property", "cached_property"})
_OWN_FUNCTIONS = re.compile(r"penstock\.(?!contrib\.threads\b)(?!.*\bbind_flow$)")
_IMPORTED = {
    Foreign(f"{name}()") for name in ("importlib.import_module", "builtins.__import__")
}


class Expressions:
    """Evaluates the expressions of one function.

    Attributes:
        calls: Applies the effects of a call.
    """

    def __init__(self, interpreter: Interpreter, frame: Frame) -> None:
        self._interpreter = interpreter
        self._attributes = interpreter.attributes
        self._frame = frame
        self.calls: Calls = Calls(interpreter, frame)

    def value(self, node: ast.expr | None, state: PathState) -> Values:
        """Evaluate *node*: record what is called, return what it may stand for."""
        read = self._readers.get(type(node))
        if read is None:
            return self._parts(node, state)
        interpreter = self._interpreter
        if interpreter.depth >= MAX_DEPTH:
            return interpreter.give_up(state)
        interpreter.depth += 1
        values = read(self, node, state)
        interpreter.depth -= 1
        return values

    def peek(self, node: ast.expr, state: PathState) -> Values:
        """Return what *node* may stand for, and record nothing."""
        frame = self._frame
        kept, frame.visits = frame.visits, {}
        try:
            return self.value(node, state)
        finally:
            frame.visits = kept

    def assign(self, target: ast.expr, values: Values, state: PathState) -> None:
        """Assign *values* to a name, an attribute, a subscript or a tuple of these."""
        if isinstance(target, ast.Name):
            self.bind(target.id, values, state)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self.assign(one, values, state)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, values, state)
        elif isinstance(target, ast.Attribute):
            self._set(target, values, state)
        elif isinstance(target, ast.Subscript):
            self.value(target.slice, state)
            self.keep(target.value, values, state)

    def bind(self, name: str, values: Values, state: PathState) -> None:
        """Bind a name, which may be declared ``global``."""
        invocation = self._frame.invocation
        if invocation and name in invocation.func.function.global_names:
            self._interpreter.names.hold(self._frame.module.name, name, values)
        self._frame.bind(name, values, state)

    def keep(self, target: ast.expr, values: Values, state: PathState) -> None:
        """Add *values* to the collection *target*."""
        if isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            target = target.func.value  # a nested collection: table.get(key).append
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Attribute):
            holders = self.value(target.value, state)
            self._hold(holders, target.attr, values, target, state)
        elif not isinstance(target, ast.Name) or not self._keep_in(
            target.id, values, state
        ):
            self.calls.escape(values, target, state)

    def _set(self, target: ast.Attribute, values: Values, state: PathState) -> None:
        """Set an attribute; setting a property is a call."""
        holders = self.value(target.value, state)
        setters: set[Func] = set()
        for holder in holders:
            if isinstance(holder, Instance):
                classes = self._interpreter.classes.bases(holder.klass)
                own = (k.setters.get(target.attr) for k in classes)
                setters |= {Func(one, holder) for one in own if one is not None}
        if setters:
            self.calls.call(frozenset(setters), [(None, values)], target, state)
        else:
            self._hold(holders, target.attr, values, target, state)

    def _hold(
        self,
        holders: Values,
        name: str,
        values: Values,
        node: ast.expr,
        state: PathState,
    ) -> None:
        kept = frozenset(one for one in values if not isinstance(one, Running))
        is_ours = False
        for holder in holders:
            if isinstance(holder, Instance | Class):
                site = holder.site if isinstance(holder, Instance) else None
                self._interpreter.heap.add(site or holder.klass, name, kept)
                is_ours = True
            elif isinstance(holder, ModuleRef):
                self._interpreter.names.hold(holder.name, name, kept)
                is_ours = True
        if not is_ours:
            self.calls.escape(values, node, state)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            state.names[f"{node.value.id}.{name}"] = values

    def _keep_in(self, name: str, values: Values, state: PathState) -> bool:
        """Add *values* to the collection *name*; return whether it is known."""
        frame = self._frame
        known = state.names.get(name, NOTHING)
        if name in frame.local or known:
            frame.bind(name, known | values, state)
            return True
        owner = frame.scope.owner(name)
        if owner is not None:
            owner.learn(name, values)
            return True
        home = self._interpreter.names.home(frame.module.name, name)
        if home is not None:
            self._interpreter.names.hold(*home, values)
        return home is not None

    def _parts(self, node: ast.expr | None, state: PathState) -> Values:
        """Evaluate what is in *node*, from left to right."""
        values = NOTHING
        todo = [] if node is None else children(node)[::-1]
        while todo:
            one = todo.pop()
            if type(one) in self._readers and isinstance(one, ast.expr):
                values |= self.value(one, state)
            else:
                todo += children(one)[::-1]
        return values

    def _name(self, node: ast.Name, state: PathState) -> Values:
        frame = self._frame
        if node.id in state.names:
            return state.names[node.id]
        if node.id in frame.local:
            return frame.scope.seen.get(node.id, NOTHING)
        owner = frame.scope.owner(node.id)
        if owner is not None:
            return owner.seen[node.id]
        known = self._interpreter.names.value(frame.module.name, node.id)
        return frozenset({Foreign(f"builtins.{node.id}")}) if known is None else known

    def _attribute(self, node: ast.Attribute, state: PathState) -> Values:
        return self._attribute_of(node, self.value(node.value, state), state)

    def _subscript(self, node: ast.Subscript, state: PathState) -> Values:
        """Return what a collection holds."""
        base = self.value(node.value, state)
        self.value(node.slice, state)
        held = frozenset(one for one in base if not isinstance(one, Foreign))
        if not base or held:
            return held
        return frozenset({Foreign(f"{next(iter(base))}[]()")})

    def _lambda(self, node: ast.Lambda, _state: PathState) -> Values:
        function = self._interpreter.program.defined[node]
        assert isinstance(function, Function)  # noqa: S101  # a lambda is one
        return frozenset({Func(function, None, self._frame.scope)})

    def _operation(self, node: ast.BinOp, state: PathState) -> Values:
        """Read ``a + b + c``, of any length; ``|`` makes a chain of messages."""
        operands = [node.right]
        left = node.left
        while isinstance(left, ast.BinOp):
            operands.append(left.right)
            left = left.left
        values = [self.value(one, state) for one in (left, *reversed(operands))]
        if isinstance(node.op, ast.BitOr):
            chain = combined("chain", values)
            if chain is not None:
                return chain
        return NOTHING.union(*values)

    def _named(self, node: ast.NamedExpr, state: PathState) -> Values:
        values = self.value(node.value, state)
        self.assign(node.target, values, state)
        return values

    def _choice(self, node: ast.IfExp, state: PathState) -> Values:
        self.value(node.test, state)
        yes, no = state.branch(), state.branch()
        found = self.value(node.body, yes) | self.value(node.orelse, no)
        state.become(merged([yes, no], certain=state.is_certain))
        return found

    def _bool(self, node: ast.BoolOp, state: PathState) -> Values:
        """Read ``and`` and ``or``: only the first is sure to be evaluated."""
        first, *others = node.values
        found = self.value(first, state)
        ways = [state.copy()]
        way = state.branch()
        for other in others:
            found |= self.value(other, way)
            ways.append(way.copy())
        state.become(merged(ways, certain=state.is_certain))
        return found

    def _compare(self, node: ast.Compare, state: PathState) -> Values:
        """Read a comparison; ``in`` asks the object on its right."""
        self.value(node.left, state)
        for kind, one in zip(node.ops, node.comparators, strict=True):
            values = self.value(one, state)
            if isinstance(kind, ast.In | ast.NotIn):
                self.calls.call_method(values, "__contains__", one, state)
        return NOTHING

    def _await(self, node: ast.Await, state: PathState) -> Values:
        values = self.value(node.value, state)
        return self.calls.wait_for(values, node.value, state)

    def _comprehension(self, node: _Comprehension, state: PathState) -> Values:
        """Read a comprehension: a loop."""
        inner = state.branch()
        ways = [state.copy()]
        rests: list[Summary] = []
        for part in node.generators:
            values = self.value(part.iter, inner)
            items, left = self.calls.iterate(values, part.iter, inner)
            rests += left
            ways.append(inner.copy())
            inner.is_certain = inner.is_certain or not inner.is_first
            inner.is_first = True
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
        self.calls.go_on(rests, state)
        return found

    def _items(self, node: _Comprehension, state: PathState) -> Values:
        if isinstance(node, ast.DictComp):
            return self.value(node.key, state) | self.value(node.value, state)
        return self.value(node.elt, state)

    def _text(self, node: ast.JoinedStr, state: PathState) -> Values:
        self._parts(node, state)
        return NOTHING

    def _yield(self, node: ast.Yield, state: PathState) -> Values:
        """Evaluate ``yield``: its value goes to the code that iterates."""
        self._frame.returned |= self.value(node.value, state)
        self._frame.split(state)
        return NOTHING

    def _yield_from(self, node: ast.YieldFrom, state: PathState) -> Values:
        values = self.value(node.value, state)
        rests = self.calls.consume(values, node.value, state)
        self._frame.split(state)
        self.calls.go_on(rests, state)
        return NOTHING

    def _call(self, node: ast.Call, state: PathState) -> Values:
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super":
            return self._super(node, state)
        base, values = NOTHING, NOTHING
        if isinstance(func, ast.Attribute):
            base = self.value(func.value, state)
            values = self._attribute_of(func, base, state)
        else:
            values = self.value(func, state)
        given = self._given(node, state)
        called = frozenset(one for one in values if not isinstance(one, Foreign))
        if called:
            result = self.calls.call(called, given, func, state)
            return result or self._attributes.returned(called)
        return self._unresolved(base, values, given, node, state)

    def _attribute_of(
        self, node: ast.Attribute, base: Values, state: PathState
    ) -> Values:
        """Return the value of an attribute of *base*; call it if it is a property."""
        values = self._attributes.find(base, node, self._frame.module)
        if isinstance(node.value, ast.Name):
            values |= state.names.get(f"{node.value.id}.{node.attr}", NOTHING)
        properties = frozenset[Func](
            one
            for one in values
            if isinstance(one, Func)
            and isinstance(one.receiver, Instance)
            and one.function.decorators & _PROPERTIES
        )
        is_draft = self._interpreter.is_draft
        if not (values or is_draft) and self._attributes.is_unknown(base):
            named = self._interpreter.program.named.get(node.attr, ())
            for one in (one for one in named if one.decorators & _PROPERTIES):
                state.may |= self._interpreter.bits.get(one, 0)
        if not properties:
            return values
        result = self.calls.call(properties, [], node, state)
        return (values - properties) | (result or self._attributes.returned(properties))

    def _given(self, node: ast.Call, state: PathState) -> Given:
        given: Given = [(None, self.value(one, state)) for one in node.args]
        for keyword in node.keywords:
            given.append((keyword.arg or "", self.value(keyword.value, state)))
        return given

    def _unresolved(
        self,
        base: Values,
        values: Values,
        given: Given,
        node: ast.Call,
        state: PathState,
    ) -> Values:
        """Evaluate a call of something that this program does not define."""
        func = node.func
        foreign = next((one.name for one in values if isinstance(one, Foreign)), "")
        name = getattr(func, "attr", foreign.rpartition(".")[2].removesuffix("()"))
        everything = NOTHING.union(*(one for _, one in given))
        if foreign in {"builtins.getattr", "operator.attrgetter"} and node.args[1:]:
            return self._by_name(node, state)
        is_aside = self._interpreter.is_draft and AT_A_SIGNAL & {foreign, name}
        if is_aside or _OWN_FUNCTIONS.match(foreign):
            return frozenset({Foreign(f"{foreign}()")})
        if isinstance(func, ast.Attribute):
            done = self._method(func, base, everything, state)
            if done is not None:
                return done
            if self._attributes.is_unknown(base):
                state.may |= self._interpreter.steps_named(name)
                if name not in COLLECT | KEEP:
                    state.may |= self._interpreter.steps_named_in(name)
        owner = getattr(getattr(func, "value", None), "id", "")
        done = self.calls.call_known(name, owner, given, node, state)
        if done is not None:
            return done
        possible = self._possible(func, values, base)
        if possible:
            kind, state.kind = state.kind, "possible"
            result = self.calls.call(possible, given, func, state)
            state.kind = kind
            return result
        self.calls.go_on(self.calls.consume(everything, node, state), state)
        self.calls.escape(everything, node, state)
        is_parameter = isinstance(func, ast.Name) and func.id in self._frame.local
        if isinstance(func, ast.Subscript) or (is_parameter and not values):
            state.may |= ANYTHING  # nothing says what this is
        kept = everything if name in GIVE_BACK else NOTHING
        return kept | ({Foreign(f"{foreign}()")} if foreign else NOTHING)

    def _method(
        self, func: ast.Attribute, base: Values, everything: Values, state: PathState
    ) -> Values | None:
        """Call a method of a collection, a function, or work that is still running."""
        name = func.attr
        if name in FINISH and any(isinstance(one, Running) for one in base):
            self.calls.finish(base, state)
            return base
        if name in KEEP and not any(isinstance(one, Foreign) for one in base):
            self.calls.go_on(self.calls.consume(everything, func, state), state)
            self.keep(func.value, everything, state)
            return base | everything
        functions = frozenset(one for one in base if isinstance(one, Func))
        if name in COLLECT and not all(isinstance(one, Foreign) for one in base):
            return base | (everything if functions else NOTHING)
        if functions and name in SIGNATURE:
            self.calls.escape(everything, func, state)
            return frozenset(Message((frozenset({one}),)) for one in functions)
        return None

    def _possible(self, func: ast.expr, values: Values, base: Values) -> Values:
        """Return the only function of that name, if it is a step."""
        if not isinstance(func, ast.Attribute) or func.attr in NEVER_POSSIBLE:
            return NOTHING
        if not self._attributes.is_unknown(base):
            return NOTHING
        if any(isinstance(one, Foreign) and not one.is_result for one in values):
            return NOTHING
        named = self._interpreter.program.named.get(func.attr, [])
        steps = [one for one in named if one in self._interpreter.bits]
        real = [one for one in named if not one.is_abstract or one in steps]
        if len(steps) == 1 and real == steps:
            (one,) = steps
            receiver = Instance(one.klass) if one.klass else None
            return frozenset({Func(one, receiver)})
        return NOTHING

    def _super(self, node: ast.Call, state: PathState) -> Values:
        if self._frame.invocation is None:
            return NOTHING
        func = self._frame.invocation.func
        klass = func.function.klass
        for value in self.value(node.args[0], state) if node.args else ():
            if isinstance(value, Class):
                klass = value.klass
        if klass is None:
            return NOTHING
        is_step = func.is_plain or self._interpreter.bit(func)
        return frozenset(
            {Super(klass, func.receiver, func.function.name if is_step else "")}
        )

    def _by_name(self, node: ast.Call, state: PathState) -> Values:
        """Read ``getattr``; part of the name may be put together at run time."""
        holders = self.value(node.args[0], state)
        found = NOTHING.union(*(self.value(one, state) for one in node.args[2:]))
        pattern = _pattern(node.args[1])
        if pattern is None:
            if any(
                isinstance(one, Instance | Class | ModuleRef) or one in _IMPORTED
                for one in holders
            ):
                state.may |= ANYTHING
            return found
        for holder in holders:
            for name in self._attributes.names_of(holder):
                if pattern.fullmatch(name):
                    found |= self._attributes.of(holder, name)
        return found

    _readers: ClassVar[dict[type[ast.AST | None], Callable[..., Values]]] = {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.Lambda: _lambda,
        ast.BinOp: _operation,
        ast.NamedExpr: _named,
        ast.IfExp: _choice,
        ast.BoolOp: _bool,
        ast.Compare: _compare,
        ast.Await: _await,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
        ast.JoinedStr: _text,
        ast.Yield: _yield,
        ast.YieldFrom: _yield_from,
    }


def _pattern(node: ast.expr) -> re.Pattern[str] | None:
    """Return a pattern for a string, if the code spells out part of it."""
    parts: Sequence[ast.expr] = [node]
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [str(one.value) if isinstance(one, ast.Constant) else "" for one in parts]
    if not any(texts):
        return None
    return re.compile("".join(re.escape(text) if text else ".*" for text in texts))
