"""What the attributes of objects, classes and modules may be."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.checking.project.functions_and_classes import last_name

from .known_functions import PLAIN_ATTRIBUTES, SEND
from .nesting import once
from .values import (
    NOTHING,
    Class,
    Foreign,
    Func,
    Instance,
    Message,
    ModuleRef,
    Super,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function, Klass
    from penstock.checking.project.program import Program

    from .classes import Classes
    from .decorators import Decorators, Readers
    from .heap import Heap
    from .names import GlobalNames
    from .values import Value, Values

    Question = tuple[str, int, int]

__all__ = ["Attributes", "annotated"]


class Attributes:
    """What ``.name`` of a value may be."""

    def __init__(
        self,
        program: Program,
        heap: Heap,
        classes: Classes,
        decorators: Decorators,
        names: GlobalNames,
        readers: Readers,
        ask: Callable[[Module, ast.Attribute], Iterable[Function]],
        read_method: Callable[[Function, Klass], None],
    ) -> None:
        self._program = program
        self._heap = heap
        self._classes = classes
        self._decorators = decorators
        self._names = names
        self._readers = readers
        self._ask = ask
        self._read_method = read_method
        self._class_values: dict[tuple[Klass, str], Values] = {}

    def forget(self) -> None:
        """Work out again what classes hold: more is known now."""
        self._class_values.clear()

    def find(self, values: Values, node: ast.Attribute, module: Module) -> Values:
        """Return what the attribute *node* of *values* may be.

        All that is known about what another package returns is where it came from;
        the resolver may know its class, and that it is one of the project.
        """
        found = NOTHING.union(*(self.of(value, node.attr) for value in values))
        if self.is_unknown(values) and all(isinstance(one, Foreign) for one in found):
            asked = frozenset(
                Func(one, Instance(one.klass) if one.klass else None)
                for one in self._ask(module, node)
            )
            return asked or found
        return found

    def of(  # noqa: PLR0911  # one for each kind of value
        self, value: Value, name: str
    ) -> Values:
        """Return what the attribute *name* of *value* may be."""
        if isinstance(value, Instance | Class):
            return self._member(value, name)
        if isinstance(value, ModuleRef):
            return self._names.attribute(value.name, name)
        if isinstance(value, Foreign):
            return frozenset({Foreign(f"{value.name}.{name}")})
        if isinstance(value, Super):
            return self._above(value, name)
        if isinstance(value, Func) and name in PLAIN_ATTRIBUTES:
            return frozenset({value})
        if isinstance(value, Func) and name in SEND:
            return frozenset({Message((frozenset({value}),))})
        if isinstance(value, Message) and name in SEND:
            return frozenset({value})
        return NOTHING

    def is_unknown(self, values: Values) -> bool:
        """Return whether the resolver may know better what an object is."""
        return not values or any(map(self._may_be_more, values))

    def _may_be_more(self, value: Value) -> bool:
        if isinstance(value, Foreign):
            return value.is_result
        if isinstance(value, Instance | Class):
            return self._classes.has_foreign_base(value.klass)
        return isinstance(value, Super)

    def names_of(self, value: Value) -> Iterable[str]:
        """Return the names of the attributes that a module or a class defines."""
        if isinstance(value, ModuleRef):
            return self._program.globals.get(value.name, {})
        if isinstance(value, Instance | Class):
            classes = (*self._classes.bases(value.klass), *self._below(value))
            names = (name for k in classes for name in (*k.methods, *k.values))
            return dict.fromkeys(names)  # in the same order in each check
        return ()

    def returned(self, called: Values) -> Values:
        """Return what the annotations of functions say that they return."""
        found = NOTHING
        for value in called:
            if isinstance(value, Func):
                returns = getattr(value.function.node, "returns", None)
                found |= self._readers.annotated(value.function.module, returns)
        return found

    def _below(self, receiver: Instance | Class) -> list[Klass]:
        return [] if receiver.is_exact else self._classes.below(receiver.klass)

    def _above(self, value: Super, name: str) -> Values:
        receiver = value.receiver
        start = receiver.klass if receiver is not None else value.klass
        order = list(self._classes.bases(start))
        if value.klass in order:
            order = order[order.index(value.klass) + 1 :]
        for klass in order:
            if name in klass.methods:
                is_plain = name == value.step
                return frozenset(
                    replace(one, receiver=receiver, is_plain=is_plain)
                    if isinstance(one, Func)
                    else one
                    for one in self._decorators.decorated(klass.methods[name])
                )
        return NOTHING

    def _member(self, receiver: Instance | Class, name: str) -> Values:
        methods = self._classes.methods(receiver, name)
        if methods:
            bases = self._classes.bases(receiver.klass)
            own = next((one for one in methods if one.klass in bases), None)
            return NOTHING.union(
                *(self._method_of(receiver, one, own) for one in methods)
            )
        for klass in self._classes.bases(receiver.klass):
            for function in klass.setting.get(name, ()):
                self._read_method(function, klass)
        found = self._held(receiver, name)
        below = (klass for klass in self._below(receiver) if name in klass.values)
        for klass in (receiver.klass, *below):
            values = self._class_value(klass, name)
            found |= {_bound(one, receiver) for one in values}
        is_ours = isinstance(receiver, Instance) or found
        if is_ours or not self._classes.has_foreign_base(receiver.klass):
            return found
        return frozenset({Foreign(f"{receiver.klass.name}.{name}")})

    def _held(self, receiver: Instance | Class, name: str) -> Values:
        """Return what the attribute is set to, in a method or from outside."""
        if name not in self._heap:
            return NOTHING
        bases = self._classes.bases(receiver.klass)
        holders: list[object] = [*bases, *self._below(receiver)]
        if isinstance(receiver, Instance) and receiver.site is not None:
            holders.append(receiver.site)
        return NOTHING.union(*(self._heap.get(one, name) for one in holders))

    def _method_of(
        self, receiver: Instance | Class, method: Function, own: Function | None
    ) -> Values:
        """Return a method as its decorators leave it, bound to its object.

        *own* is what the class of *receiver* has, and a class below overrides.
        """
        is_guess = own is not None and self._decorators.is_other_step(method, own)
        if method.klass in self._classes.below(receiver.klass):
            receiver = replace(receiver, klass=method.klass, is_exact=False)
        to = _bound_to(method, receiver)
        return frozenset(
            replace(one, receiver=to, is_guess=is_guess)
            if isinstance(one, Func) and one.receiver is None
            else one
            for one in self._decorators.decorated(method)
        )

    def _class_value(self, klass: Klass, name: str) -> Values:
        """Return what the body of a class, or of one above it, sets *name* to."""
        work = lambda: self._find_class_value(klass, name)  # noqa: E731  # fits the line
        return once(self._class_values, (klass, name), NOTHING, work)

    def _find_class_value(self, klass: Klass, name: str) -> Values:
        found = NOTHING
        for base in self._classes.bases(klass):
            methods = base.methods.items()
            own = {n: self._decorators.decorated(one) for n, one in methods}
            for value in base.values.get(name, ()):
                node = _made_by_default(value)
                found |= self._readers.evaluate_in(base.module, node, own)
            if not found and name in base.annotations:
                found = self._readers.annotated(base.module, base.annotations[name])
        return found


def annotated(node: ast.expr | None, evaluate: Callable[[ast.expr], Values]) -> Values:
    """Return the objects that an annotation allows.

    Args:
        node: The annotation.
        evaluate: Returns what a name in it stands for.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return NOTHING
    if isinstance(node, ast.Name | ast.Attribute):
        return frozenset(
            Instance(value.klass) if isinstance(value, Class) else value
            for value in evaluate(node)
            if isinstance(value, Class | Foreign)
        )
    if isinstance(node, ast.Subscript) and last_name(node.value) in {"type", "Type"}:
        kinds = annotated(node.slice, evaluate)
        return frozenset(
            Class(v.klass, is_exact=False) for v in kinds if isinstance(v, Instance)
        )
    if isinstance(node, ast.BinOp | ast.Subscript | ast.Tuple):
        parts = (n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr))
        return NOTHING.union(*(annotated(part, evaluate) for part in parts))
    return NOTHING


def _bound(value: Value, receiver: Instance | Class) -> Value:
    """Bind a function that the body of a class has another name for."""
    if not isinstance(value, Func) or value.receiver or value.function.klass is None:
        return value
    return replace(value, receiver=_bound_to(value.function, receiver))


def _bound_to(
    function: Function, receiver: Instance | Class
) -> Instance | Class | None:
    if "staticmethod" in function.decorators:
        return None
    if "classmethod" in function.decorators and isinstance(receiver, Instance):
        return Class(receiver.klass, receiver.is_exact)
    if isinstance(receiver, Class) and "classmethod" not in function.decorators:
        return None
    return receiver


def _made_by_default(node: ast.expr) -> ast.expr:
    """Return the call that makes a dataclass's field, where it has a factory."""
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg == "default_factory":
            return ast.copy_location(ast.Call(keyword.value, [], []), node)
    return node
