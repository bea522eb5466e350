"""Functions that a run may begin in: what frameworks call."""

from __future__ import annotations

import ast
import importlib
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from penstock.checking.project.ast_walk import walk
from penstock.checking.project.functions_and_classes import Klass, last_name

from .entries import HANDLERS, qualified

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.program import Program

__all__ = ["KINDS", "Candidate", "find_candidates"]

KINDS = ("Django view", "Django command", "route", "task", "command")
"""The kinds of candidates, in the order of the list."""

_Defined = TypeVar("_Defined", "Function", "Klass")

_VERBS = {"get", "post", "put", "patch", "delete"}
_METHODS = _VERBS | {"route", "websocket", "api_route"}
_VIEW_SET = {"perform_create", "perform_update", "perform_destroy", "create", "update"}
_TASKS = {"task", "shared_task", "periodic_task", "db_task", "actor", "job"}
_PATTERNS = {"path", "re_path", "url"}
_RULES = {"add_url_rule": ("view_func", 2), "add_api_route": ("endpoint", 1)}
"""Methods that add a route: the name and the place of what they are given to call."""


class Candidate(NamedTuple):
    """A function that a run may begin in.

    Attributes:
        kind: One of ``KINDS``.
        entry: What to pass to ``penstock draft``.
        route: The address, the name of the task or of the command, if it has one.
        path: The file.
        line: The line of the function or class.
    """

    kind: str
    entry: str
    route: str
    path: str
    line: int


def find_candidates(program: Program, *, has_django: bool = False) -> list[Candidate]:
    """Return the candidates of a project, by kind and place.

    Args:
        program: The parsed project.
        has_django: Whether Django is set up, so that it knows the URLs.
    """
    found = [*_decorated(program), *_resources(program), *_commands(program)]
    classes: dict[str, list[Klass]] = {}
    for klass in program.classes.values():
        classes.setdefault(klass.name, []).append(klass)
    if has_django:
        found += _in_urls(program)
    for module in program.modules.values():
        found += _rules(program, module, classes)
        found += () if has_django else _views(program, module, classes)
    found.sort(key=lambda one: (KINDS.index(one.kind), one.path, one.line, one.route))
    return list({(one.kind, one.entry): one for one in reversed(found)}.values())[::-1]


def _decorated(program: Program) -> Iterator[Candidate]:
    for function in dict.fromkeys(program.functions.values()):
        for node in getattr(function.node, "decorator_list", ()):
            kind = _kind(node)
            if kind:
                called = node.args if isinstance(node, ast.Call) else []
                route = _text(called[0]) if called else ""
                if kind == "route":
                    name = last_name(node).upper()
                    route = f"{_prefix(node, function.module, program)}{route}"
                    route = f"{name} {route}".strip() if name != "ROUTE" else route
                yield _candidate(kind, function, route)
                break


def _prefix(node: ast.expr, module: Module, program: Program) -> str:
    """Return what the router of a route puts before it: ``APIRouter(prefix=...)``."""
    router = getattr(getattr(getattr(node, "func", None), "value", None), "id", "")
    for bound in program.globals[module.name].get(router, ()):
        made = getattr(bound, "value", None)
        for given in made.keywords if isinstance(made, ast.Call) else ():
            if given.arg in {"prefix", "url_prefix"}:
                return _text(given.value)
    return ""


def _resources(program: Program) -> Iterator[Candidate]:
    """Yield the methods of classes that have a route, as in Flask-RESTX."""
    for klass in program.classes.values():
        for node in klass.node.decorator_list:
            if isinstance(node, ast.Call) and _kind(node) == "route":
                yield from _by_verb(klass, _text(node.args[0]))
                break


def _by_verb(klass: Klass, route: str) -> Iterator[Candidate]:
    for name in (_VERBS | {"dispatch_request"}) & klass.methods.keys():
        verb = f"{name.upper()} " if name in _VERBS else ""
        yield _candidate("route", klass.methods[name], f"{verb}{route}".strip())


def _kind(node: ast.expr) -> str:
    name = last_name(node)
    if name in _METHODS and isinstance(node, ast.Call) and _is_route(node):
        return "route"
    if name in _TASKS:
        return "task"
    return "command" if name == "command" else ""


def _is_route(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and node.args[0].value[:1] in {"", "/"}
    )


def _commands(program: Program) -> Iterator[Candidate]:
    for klass in program.classes.values():
        handle = klass.methods.get("handle")
        if ".management.commands." in klass.module.name and handle is not None:
            name = klass.module.name.rpartition(".")[2]
            yield _candidate("Django command", handle, name)


def _rules(
    program: Program, module: Module, classes: Mapping[str, Sequence[Klass]]
) -> Iterator[Candidate]:
    """Yield what ``add_url_rule()`` and the like of *module* have called."""
    if program.names[module.name].isdisjoint(_RULES):
        return
    for node in walk(module.tree):
        if not isinstance(node, ast.Call) or last_name(node) not in _RULES:
            continue
        keyword, place = _RULES[last_name(node)]
        given = [one.value for one in node.keywords if one.arg == keyword]
        route = _prefix(node, module, program) + "".join(map(_text, node.args[:1]))
        for view in given or node.args[place : place + 1]:
            for one in _named(view, program, classes):
                if isinstance(one, Klass):
                    yield from _by_verb(one, route)
                else:
                    yield _candidate("route", one, route)


def _views(
    program: Program, module: Module, classes: Mapping[str, Sequence[Klass]]
) -> Iterator[Candidate]:
    """Yield the views that ``path()`` or a router of *module* names."""
    if program.names[module.name].isdisjoint(_PATTERNS | {"register"}):
        return
    for node in walk(module.tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:  # noqa: PLR2004  # route and view
            continue
        name = last_name(node)
        if name in _PATTERNS or (name == "register" and _is_text(node.args[0])):
            route = _text(node.args[0])
            for one in _named(node.args[1], program, classes):
                if isinstance(one, Klass):
                    yield from (each._replace(route=route) for each in _handlers(one))
                elif _takes_request(one):
                    yield _candidate("Django view", one, route)


def _named(
    node: ast.expr, program: Program, classes: Mapping[str, Sequence[Klass]]
) -> Iterator[Klass | Function]:
    """Yield the classes and functions that the name of a view may stand for."""
    while isinstance(node, ast.Call) and last_name(node) not in {"include", "as_view"}:
        node = node.args[0] if node.args else node.func  # a decorator around the view
    if last_name(node) == "as_view" and isinstance(node, ast.Call):
        node = getattr(node.func, "value", node.func)
    name = last_name(node)
    around = last_name(node.value) if isinstance(node, ast.Attribute) else ""
    yield from _nearest(classes.get(name, ()), around)
    plain = [one for one in program.named.get(name, ()) if one.klass is None]
    yield from _nearest(plain, around)


def _nearest(found: Sequence[_Defined], around: str) -> Sequence[_Defined]:
    """Return those in a module called *around*, if there are any: ``orders.index``."""
    own = [one for one in found if one.module.name.rpartition(".")[2] == around]
    return own or found


def _handlers(klass: Klass, actions: Collection[str] = ()) -> Iterator[Candidate]:
    """Yield the methods of a view that a request may call, or the class itself.

    With *actions*, these are the only actions that count.
    """
    found = [
        one
        for name, one in klass.methods.items()
        if name in HANDLERS
        or name in _VIEW_SET
        or ("action" in one.decorators and (name in actions or not actions))
    ]
    for one in found:
        yield _candidate("Django view", one, "")
    if not found:
        entry = f"{klass.module.name}:{klass.qualname}"
        line = klass.node.lineno
        yield Candidate("Django view", entry, "", klass.module.path, line)


def _takes_request(function: Function) -> bool:
    args = function.node.args
    first = [*args.posonlyargs, *args.args][:1]
    return bool(first) and first[0].arg == "request"


def _in_urls(program: Program) -> Iterator[Candidate]:
    """Yield the project's views in the URL configuration of Django, which is set up."""
    urls: Any = importlib.import_module("django.urls")
    defined = {(one.module.name, one.qualname): one for one in program.defined.values()}
    for route, callback in _callbacks(urls.get_resolver().url_patterns):
        klass = getattr(callback, "view_class", getattr(callback, "cls", None))
        target = klass or inspect.unwrap(callback)
        name = getattr(target, "__module__", ""), getattr(target, "__qualname__", "")
        one = defined.get(name)
        if isinstance(one, Klass):
            # What a router of REST framework makes knows its methods by their names.
            actions = (getattr(callback, "actions", None) or {}).values()
            found = list(_handlers(one, actions))
        else:
            found = [_candidate("Django view", one, "")] if one is not None else []
        yield from (each._replace(route=route) for each in found)


def _callbacks(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for one in patterns:
        route = f"{prefix}{one.pattern}"
        if hasattr(one, "url_patterns"):
            yield from _callbacks(one.url_patterns, route)
        else:
            yield route, one.callback


def _candidate(kind: str, function: Function, route: str) -> Candidate:
    path, line = function.module.path, function.node.lineno
    return Candidate(kind, qualified(function), route, path, line)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""
