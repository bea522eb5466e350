"""Write the markers of a plan into the source, and touch nothing else."""

from __future__ import annotations

import ast
import difflib
import io
import re
import subprocess
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock._platform.file import write_file
from penstock._project.imports import MissingTargetError
from penstock._project.shown import shown_path
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from .plan import DraftPlan, PlannedStep

__all__ = ["Change", "apply_changes", "changes_for", "refuse_dirty"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_MAX_LINE = 88  # what formatters agree on
_Branches = Mapping[ast.AST, str]
"""The branch of each statement around a place that is taken to get there."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file to write.

    Attributes:
        path: Where it is.
        before: Its text, None if there is no such file.
        after: The text to write.
        encoding: The encoding of both.
    """

    path: Path
    before: str | None
    after: str
    encoding: str = "utf-8"

    @property
    def diff(self) -> str:
        """What changes, as a unified diff."""
        shown = shown_path(str(self.path))
        before, after = _lines(self.before or ""), _lines(self.after)
        old = "/dev/null" if self.before is None else f"a/{shown}"
        lines = difflib.unified_diff(before, after, old, f"b/{shown}")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def changes_for(plan: DraftPlan, paths: Mapping[str, Path], root: Path) -> list[Change]:
    """Return the files that declare *plan*; those that need no change are left out.

    Args:
        plan: A complete plan.
        paths: The file of each module that has a step.
        root: The folder that the modules are imported from.

    Raises:
        MissingTargetError: A function of the plan is not in its module.
        ConfigurationError: A file cannot be read.
    """
    texts = {module: _read(path) for module, path in paths.items()}
    home = _home_package(paths)
    handle, path, before = _handle(plan, home, root, texts.values())
    changes = [Change(path, before, _declaration(plan, handle, before))]
    for module, (text, encoding) in texts.items():
        steps = [one for one in plan.steps if one.function.startswith(f"{module}:")]
        new = _marked(text, paths[module], steps, plan, handle, f"{home}.{path.stem}")
        changes.append(Change(paths[module], text, new, encoding))
    return [one for one in changes if one.before != one.after]


def refuse_dirty(changes: Iterable[Change]) -> None:
    """Refuse to change a file whose present state Git does not have.

    Raises:
        ConfigurationError: Such a file would change.
    """
    for one in changes:
        if one.before is not None and not _is_committed(one.path):
            msg = (
                f"{shown_path(str(one.path))} has changes that are not in Git, or Git "
                "does not know it. Commit it first, or write anyway: --allow-dirty"
            )
            raise ConfigurationError(msg)


def apply_changes(changes: Iterable[Change]) -> None:
    """Write the files."""
    for one in changes:
        write_file(one.path, one.after.encode(one.encoding))


def _read(path: Path) -> tuple[str, str]:
    try:
        raw = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding), encoding
    except (OSError, SyntaxError, UnicodeError) as exc:
        msg = f"{path}: {getattr(exc, 'strerror', None) or exc}"
        raise ConfigurationError(msg) from exc


def _is_committed(path: Path) -> bool:
    command = ["git", "status", "--porcelain", "--ignored", "--", path.name]
    try:
        done = subprocess.run(  # noqa: S603  # a fixed command
            command, cwd=path.parent, capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0 and not done.stdout.strip()


def _home_package(paths: Mapping[str, Path]) -> str:
    """Return the nearest package that holds all steps, else that of the entrypoint."""
    packages = [
        module if path.name == "__init__.py" else module.rpartition(".")[0]
        for module, path in paths.items()
    ]
    common = packages[0]  # that of the entrypoint
    while common and not all(f"{one}.".startswith(f"{common}.") for one in packages):
        common = common.rpartition(".")[0]
    return common or packages[0]


def _handle(
    plan: DraftPlan, home: str, root: Path, texts: Iterable[tuple[str, str]]
) -> tuple[str, Path, str | None]:
    """Return the name of the flow's handle, its file, and the text of that."""
    folder = root.joinpath(*home.split("."))
    base = re.sub(r"\W", "_", plan.flow)
    path = folder / f"{base}_flow.py"
    number = 2
    while path.exists():
        text, _ = _read(path)
        known = re.escape(_quoted(plan.flow))
        found = re.search(rf"^(\w+) = flow\(\s*{known}", text, re.MULTILINE)
        if found:
            return found[1], path, text
        path, number = folder / f"{base}_flow_{number}.py", number + 1
    words = {word for text, _ in texts for word in re.findall(r"\w+", text)}
    names = (base, f"{base}_flow", f"{base}_steps")
    free = (one for one in names if one not in words and one.isidentifier())
    return next(free, f"the_{base}_flow"), path, None


def _declaration(plan: DraftPlan, handle: str, before: str | None) -> str:
    if before is not None:
        return before
    owner = f", owner={_quoted(plan.owner)}" if plan.owner else ""
    return (
        '"""A flow on functions of several modules."""\n\n'
        "from penstock import flow\n\n"
        f'{handle} = flow({_quoted(plan.flow)}{owner}, outside="warn")\n'
    )


def _marked(
    text: str,
    path: Path,
    steps: Sequence[PlannedStep],
    plan: DraftPlan,
    handle: str,
    home: str,
) -> str:
    """Return *text* with the markers of *steps*."""
    tree = ast.parse(text, str(path))
    defined = _defined(tree)
    lines = _lines(text)
    end = (re.findall(r"[\r\n]+$", lines[0]) or ["\n"])[0]
    edits: list[tuple[int, int, str]] = []  # the first line, the line after, new text
    for one in steps:
        qualname = one.function.partition(":")[2]
        if qualname not in defined:
            msg = f"{shown_path(str(path))} has no function {qualname!r} any more."
            raise MissingTargetError(msg)
        for node in defined[qualname]:
            marker = _marker(one, handle, node, is_entry=one is plan.steps[0])
            indent = re.sub(r"\S.*|[\r\n\f]", "", lines[node.lineno - 1])
            new = "".join(f"{indent}{line}{end}" for line in marker)
            edits.append((*_place(node, handle), new))
    if not _has_import(tree, handle):
        module = home.removeprefix(".")
        at, before, behind = _import_place(tree, module)
        line = f"from {module} import {handle}{end}"
        edits.append((at, at, f"{end * before}{line}{end * behind}"))
    # From the end; of two at one place the import is the last, and so stands first.
    for first, last, new in sorted(edits, key=lambda one: one[:2], reverse=True):
        lines[first:last] = [new]
    return "".join(lines)


def _defined(tree: ast.Module) -> dict[str, list[_Def]]:
    """Return what each qualified name is: one function, or one in each branch.

    Of several in one branch, such as overloads, it is the last.
    """
    found: dict[str, list[tuple[_Branches, _Def]]] = {}
    for name, branches, node in _functions(tree, "", {}):
        known = found.setdefault(name, [])
        known[:] = [one for one in known if _excludes(one[0], branches)]
        known.append((branches, node))
    return {name: [node for _, node in known] for name, known in found.items()}


def _functions(
    parent: ast.AST, prefix: str, branches: _Branches
) -> Iterator[tuple[str, _Branches, _Def]]:
    for part, value in ast.iter_fields(parent):
        for place, node in enumerate(value if isinstance(value, list) else []):
            inside = branches
            if isinstance(parent, ast.If | ast.Match | ast.Try):
                is_own = part in {"cases", "handlers"}
                branch = f"{part} {place}" if is_own else part
                if isinstance(parent, ast.Try) and not is_own:
                    branch = "body"  # what else and finally hold runs as well
                inside = {**branches, parent: branch}
            if isinstance(node, _Def):
                yield f"{prefix}{node.name}", inside, node
            elif isinstance(node, ast.ClassDef):
                yield from _functions(node, f"{prefix}{node.name}.", inside)
            elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from _functions(node, prefix, inside)


def _excludes(one: _Branches, other: _Branches) -> bool:
    """Return whether two places are in different branches of one statement."""
    return any(one[node] != other[node] for node in one.keys() & other.keys())


def _lines(text: str) -> list[str]:
    """Return the lines as Python counts them, with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _marker(
    one: PlannedStep, handle: str, node: _Def, *, is_entry: bool
) -> Iterator[str]:
    """Yield the lines of the decorator."""
    given: list[str] = []
    if one.name != node.name:
        given.append(f"name={_quoted(one.name)}")
    if one.after:
        names = ", ".join(map(_quoted, one.after))
        given.append(f"after=[{names}]" if len(one.after) > 1 else f"after={names}")
    kind = "entrypoint" if is_entry else "step"
    call = f"({', '.join(given)})" if given else ""
    line = f"@{handle}.{kind}{call}"
    if len(line) <= _MAX_LINE - node.col_offset:
        yield line
        return
    yield f"@{handle}.{kind}("
    for one_given in given:
        if len(one_given) <= _MAX_LINE - node.col_offset - 5:  # indented, with a comma
            yield f"    {one_given},"
        else:
            yield "    after=["
            yield from (f"        {_quoted(before)}," for before in one.after or ())
            yield "    ],"
    yield ")"


def _place(node: _Def, handle: str) -> tuple[int, int]:
    """Return where the marker goes: in place of an older one, or above ``def``."""
    for one in node.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        if ast.unparse(called) in {f"{handle}.step", f"{handle}.entrypoint"}:
            return one.lineno - 1, one.end_lineno or one.lineno
    return node.lineno - 1, node.lineno - 1


def _has_import(tree: ast.Module, handle: str) -> bool:
    return any(
        alias.name == handle
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def _import_place(tree: ast.Module, module: str) -> tuple[int, int, int]:
    """Return where an import of *module* goes: the line, and empty lines around it.

    It follows the first imports, but stands before those of the same package that sort
    after it. Without any, it follows the docstring. Comments at the beginning of the
    file, one of which may name its encoding, stay there.
    """
    first = tree.body[0]
    has_doc = isinstance(first, ast.Expr)
    at = (first.end_lineno or 0) if has_doc else 0
    is_import = is_beside = False
    for node in tree.body[has_doc:]:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            break
        source = getattr(node, "module", None) or ""
        was_beside = is_beside
        is_beside = source.partition(".")[0] == module.partition(".")[0]
        if is_beside and source > module:
            # A comment above stays with what it is about, if there is another import.
            return at if was_beside else node.lineno - 1, 0, 0
        at, is_import = node.end_lineno or at, True
    if is_import or has_doc:
        return at, not is_import, 0
    decorators = getattr(first, "decorator_list", [])
    return min([first.lineno, *(one.lineno for one in decorators)]) - 1, 0, 1


def _quoted(text: str) -> str:
    quoted = repr(text)
    return f'"{quoted[1:-1]}"' if '"' not in quoted else quoted
