"""The whole check: from flows and folders to findings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .findings import Finding, Place
from .interpreter.name_references import named_steps
from .interpreter.references import read_program, references
from .project.files import BrokenFile, Module, files_below, is_test, module_name, parsed
from .project.program import Program
from .project.steps import steps_of
from .rules.call_rules import follow_runs, judge_calls
from .rules.declaration_rules import judge_declarations
from .rules.declarations import Declarations
from .rules.unimported_modules import unreached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock._types import FlowInfo

    from .interpreter.references import Reference
    from .project.functions_and_classes import Function
    from .resolvers.base import Resolver

__all__ = ["Checked", "Request", "check"]


@dataclass(frozen=True)
class Request:
    """What to check.

    Attributes:
        flows: The flows to judge.
        known: Those, and whatever else there is.
        manifests: Flows of other services, to hold names against.
        folders: Folders whose modules are the project.
        roots: Where imports begin.
        imported: Files of the modules that were imported.
        is_whole: Whether *folders* should hold no flow that was not imported.
    """

    flows: Sequence[FlowInfo]
    known: Sequence[FlowInfo]
    manifests: Sequence[FlowInfo]
    folders: Sequence[Path]
    roots: Sequence[Path]
    imported: frozenset[str]
    is_whole: bool


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Attributes:
        findings: Sorted by place.
        references: Every reference from step to step.
        taken: The declared edges that some path takes, as flow, predecessor, step.
        paths: The files that were read.
        lines: How many lines these have.
        seconds: How long it took.
    """

    findings: list[Finding]
    references: list[Reference]
    taken: frozenset[tuple[str, str, str]]
    paths: list[str]
    lines: int
    seconds: float


def check(
    request: Request,
    resolver: Resolver,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checked:
    """Hold the flows of *request* against the source.

    Args:
        request: What to check.
        resolver: Who is asked where a name is defined.
        progress: Is told how many steps of how many are read.
    """
    began = time.perf_counter()
    modules, broken = _read(request)
    program = Program(modules)
    steps = steps_of(request.known, program)
    known = [*request.known, *request.manifests]
    declarations = Declarations(request.flows, known, steps)
    interpreter = read_program(program, steps, resolver, progress)
    findings = [_broken(one) for one in broken]
    findings += [_too_deep(one) for one in interpreter.too_deep]
    findings += judge_declarations(declarations, known)
    findings += judge_declarations(Declarations(request.manifests, known, steps), known)
    if request.is_whole:
        findings += unreached(modules, request.imported)
    verdicts = follow_runs(interpreter, steps, declarations)
    findings += judge_calls(verdicts, declarations, named_steps(interpreter))
    return Checked(
        sorted(dict.fromkeys(findings), key=_order),
        references(interpreter),
        frozenset((flow, before, after) for flow, after, before in verdicts.exercised),
        [module.path for module in modules],
        sum(_lines(module) for module in modules),
        time.perf_counter() - began,
    )


def _read(request: Request) -> tuple[list[Module], list[BrokenFile]]:
    wanted = {step.path for flow in request.known for step in flow.steps if step.path}
    # A manifest's paths are relative to a folder that need not be this one.
    own = (Path(path) for path in sorted(wanted) if Path(path).is_absolute())
    paths = {path: None for path in own if path.is_file()}
    for folder in request.folders:
        for path in [folder] if folder.is_file() else files_below(folder):
            if not is_test(path, folder):
                paths[path] = None
    modules: dict[str, Module] = {}
    broken: list[BrokenFile] = []
    for path in paths:
        name = module_name(path, request.roots)
        found = parsed(path, name or path.stem)
        if isinstance(found, BrokenFile):
            broken.append(found)
        else:
            modules.setdefault(found.name, found)
    return list(modules.values()), broken


def _broken(one: BrokenFile) -> Finding:
    return Finding(
        "PEN000",
        f"this file cannot be parsed, so its calls are not seen: {one.problem}",
        Place(one.path, one.line),
        edge=(Path(one.path).name,),
    )


def _too_deep(function: Function) -> Finding:
    return Finding(
        "PEN301",
        f"{function.qualname} is nested too deeply to be read to its end, so not all "
        "of its calls are seen",
        Place(function.module.path, function.node.lineno),
        edge=(function.qualname,),
    )


def _lines(module: Module) -> int:
    last = module.tree.body[-1] if module.tree.body else None
    return (last.end_lineno or 0) if last is not None else 0


def _order(finding: Finding) -> tuple[str, int, str, str, str]:
    place = finding.place
    return (place.path, place.line, finding.code, finding.label, finding.message)


def folders_of(flows: Iterable[FlowInfo], roots: Sequence[Path]) -> list[Path]:
    """Return the top-level packages, or files, that hold the steps of *flows*."""
    found: dict[Path, None] = {}
    for flow in flows:
        for step in flow.steps:
            path = Path(step.path)
            for root in sorted(roots, key=lambda root: -len(root.parts)):
                if step.path and path.is_relative_to(root):
                    found[root / path.relative_to(root).parts[0]] = None
                    break
    return list(found)
