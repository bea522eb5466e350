"""Find the function that a run begins in, by the name that a person types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._project.imports import MissingTargetError
from penstock.checking.interpreter.values import Func, Instance
from penstock.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function, Klass
    from penstock.checking.project.program import Program

__all__ = ["HANDLERS", "HOOKS", "find_entry", "find_function", "qualified"]

HANDLERS = (
    "handle",
    "post",
    "put",
    "patch",
    "delete",
    "get",
    "run",
    "form_valid",
    "__call__",
)
"""Methods that frameworks call, the one that changes most first."""
HOOKS = ("dispatch", "get_queryset", "get_context_data")
"""Methods that a view may have instead, because it inherits what calls them."""


def qualified(function: Function) -> str:
    """Return the name of *function* as targets have it: ``shop.orders:charge``."""
    return f"{function.module.name}:{function.qualname}"


def find_function(program: Program, name: str) -> Function | None:
    """Return the function with this qualified name, or None."""
    module, _, qualname = name.partition(":")
    for one in program.named.get(qualname.rpartition(".")[2], ()):
        if one.module.name == module and one.qualname == qualname:
            return one
    return None


def find_entry(program: Program, name: str) -> Func:
    """Return the function *name*, bound to an object if it is a method.

    A class stands for the first method of ``HANDLERS`` that it has, else for one that
    it inherits in the project, else for one of ``HOOKS``. A method may be inherited.

    Raises:
        MissingTargetError: There is no such function.
    """
    given, _, qualname = name.partition(":")
    module = _module(program, given)
    function = find_function(program, f"{module.name}:{qualname}")
    owner, _, method = qualname.rpartition(".")
    if function is not None and function.klass is None:
        return Func(function)
    klass = _klass(program, module, owner if function else qualname)
    if klass is not None and function is None:
        function = _handler(program, klass)
    elif klass is None and function is None:
        klass = _klass(program, module, owner)
        function = _inherited(program, klass, method) if klass else None
    if function is None or klass is None:
        raise _missing(program, module, qualname, klass)
    return Func(function, Instance(klass))


def _module(program: Program, given: str) -> Module:
    name = given.removesuffix(".py").replace("/", ".") if "/" in given else given
    for one in program.modules.values():
        if one.name == name or (given.endswith(".py") and one.path.endswith(given)):
            return one
    msg = (
        f"no module of this project is called {given!r}."
        f"{did_you_mean(name, program.modules)} "
        "Write the entry as module:function, such as shop.views:checkout."
    )
    raise MissingTargetError(msg)


def _klass(program: Program, module: Module, qualname: str) -> Klass | None:
    for one in program.classes.values():
        if one.module is module and one.qualname == qualname:
            return one
    return None


def _handler(program: Program, klass: Klass) -> Function | None:
    own = [klass.methods.get(name) for name in HANDLERS]
    above = [_inherited(program, klass, name) for name in HANDLERS]
    hooks = [klass.methods.get(name) for name in HOOKS]
    return next(filter(None, [*own, *above, *hooks]), None)


def _inherited(program: Program, klass: Klass, method: str) -> Function | None:
    """Return *method* of a class above *klass*, by the names of the bases."""
    todo, seen = [klass], set[object]()
    while todo:
        one = todo.pop(0)
        if method in one.methods:
            return one.methods[method]
        names = {getattr(n, "attr", getattr(n, "id", "")) for n in one.node.bases}
        new = [k for k in program.classes.values() if k.name in names - seen]
        seen |= names
        todo += new
    return None


def _missing(
    program: Program, module: Module, qualname: str, klass: Klass | None
) -> MissingTargetError:
    if klass is not None:
        listed = ", ".join(f"{klass.qualname}.{one}" for one in klass.methods) or "none"
        has = "is a class" if klass.qualname == qualname else "is not in this project"
        msg = (
            f"{module.name}:{qualname} {has}. Name the method that a run begins in; "
            f"{klass.qualname} has: {listed}."
        )
        return MissingTargetError(msg)
    known = list(_names(program, module))
    msg = (
        f"{module.name} has no function {qualname!r}.{did_you_mean(qualname, known)} "
        f"Without an entry, penstock draft lists candidates."
    )
    return MissingTargetError(msg)


def _names(program: Program, module: Module) -> Iterator[str]:
    for one in dict.fromkeys(program.functions.values()):
        if one.module is module:
            yield one.qualname
