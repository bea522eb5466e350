"""Which modules declare steps, by their source alone."""

from __future__ import annotations

import ast
from importlib.util import resolve_name
from typing import TYPE_CHECKING

from .source_files import Module, parsed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

_MARKERS = frozenset({"entrypoint", "step", "flow_task"})
_WORDS = (b"penstock", b".entrypoint", b".step", b".flow_task")
_MAX_REEXPORTS = 5  # of one name, from module to module
_Origins = dict[str, str]
"""The full name of each imported name of a module: ``package.module.name``."""


def modules_with_flows(files: Iterable[tuple[str, Path]]) -> list[str]:
    """Return the modules that declare steps, without importing them.

    Modules that cannot be parsed are among them: importing one says what is wrong.

    Args:
        files: The name and the path of each module to look at.
    """
    modules: dict[str, Module] = {}
    broken: list[str] = []
    for name, path in files:
        if name in modules or not _may_mark(path):
            continue
        found = parsed(path, name)
        if isinstance(found, Module):
            modules[name] = found
        else:
            broken.append(name)
    return [
        *broken,
        *(module.name for module, _ in declaring_modules(modules.values())),
    ]


def _may_mark(path: Path) -> bool:
    """Tell whether the file *path* is worth parsing."""
    try:
        text = path.read_bytes()
    except OSError:
        return True  # whatever reads it next says what is wrong
    return any(word in text for word in _WORDS)


def declaring_modules(modules: Iterable[Module]) -> Iterator[tuple[Module, int]]:
    """Yield each of *modules* that declares steps, with the line of the first.

    A handle, ``orders = flow("orders")``, may come from another of the modules.
    """
    modules = tuple(modules)
    origins = {module.name: _origins(module) for module in modules}
    handles: set[str] = set()
    for module in modules:
        handles |= _handles(module, origins[module.name])
    for module in modules:
        line = _first_marker(module, handles, origins)
        if line:
            yield module, line


def _first_marker(
    module: Module, handles: Collection[str], origins: Mapping[str, _Origins]
) -> int:
    """Return the line of the first marked function, 0 if there is none."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if _marks(decorator, module.name, handles, origins):
                    return decorator.lineno
    return 0


def _marks(
    node: ast.expr,
    module: str,
    handles: Collection[str],
    origins: Mapping[str, _Origins],
) -> bool:
    """Tell whether a decorator is a marker of penstock or of a handle.

    A handle may also be imported from a package that was not read.
    """
    name = ast.unparse(node.func if isinstance(node, ast.Call) else node)
    holder, _, last = _origin(name, origins[module]).rpartition(".")
    if last not in _MARKERS:
        return False
    if holder.partition(".")[0] == "penstock" or f"{module}.{holder}" in handles:
        return True
    for _ in range(_MAX_REEXPORTS):
        if holder in handles:
            return True
        place, _, attribute = holder.rpartition(".")
        if place and place not in origins:
            return "." in name and name.partition(".")[0] in origins[module]
        holder = origins.get(place, {}).get(attribute, "")
    return False


def _handles(module: Module, origins: _Origins) -> set[str]:
    """Return the full names that ``flow("...")`` is assigned to."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node.value, ast.Call):
            origin = _origin(ast.unparse(node.value.func), origins)
            if origin.startswith("penstock.") and origin.endswith(".flow"):
                names = [t.id for t in targets if isinstance(t, ast.Name)]
                found |= {f"{module.name}.{name}" for name in names}
    return found


def _origins(module: Module) -> _Origins:
    found: _Origins = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            base = _base(node, module)
            for alias in node.names:
                found[alias.asname or alias.name] = f"{base}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
    return found


def _base(node: ast.ImportFrom, module: Module) -> str:
    """Return the full name of the module that ``from ... import`` names."""
    parent, _, _ = module.name.rpartition(".")
    package = module.name if module.is_package else parent
    try:
        return resolve_name(f"{'.' * node.level}{node.module or ''}", package)
    except ImportError:  # beyond the top-level package
        return ""


def _origin(name: str, origins: _Origins) -> str:
    """Return what *name*, such as ``p.flow``, is called in full."""
    first, dot, rest = name.partition(".")
    return f"{origins.get(first, first)}{dot}{rest}"
