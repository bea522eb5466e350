"""Check flows against their source: from a request to findings."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._declaring.overrides import unmarked_overrides
from penstock._project.source_files import (
    BrokenFile,
    Module,
    files_below,
    is_test,
    module_name,
    parsed,
)

from .findings import Finding, Place, by_place
from .interpreter.effects import ANYTHING
from .interpreter.name_references import named_steps
from .interpreter.references import read_program, references
from .project.program import Program
from .project.steps import steps_of
from .resolvers.registry import open_resolver
from .rules.call_rules import follow_runs, judge_calls
from .rules.declaration_rules import judge_declarations, unreached
from .rules.declarations import Declarations
from .rules.decorator_rules import judge_decorators
from .rules.override_rules import judge_overrides, plain_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .interpreter.interpreter import Interpreter
    from .interpreter.references import Reference
    from .project.functions_and_classes import Function
    from .request import CheckRequest
    from .resolvers.base import Resolver

    Progress = Callable[[int, int], None]

__all__ = ["Checked", "check"]


@dataclass(frozen=True)
class Checked:
    """What a check has found, before anything silences it.

    Attributes:
        findings: Sorted by place.
        references: Every reference from step to step.
        taken: The declared edges that some path takes, as flow, predecessor, step.
        paths: The files that were read.
        lines: How many lines these have.
        seconds: How long it took.
        questions: How many questions the resolver was asked, by its name.
        notes: What the user should know about the answers.
    """

    findings: list[Finding]
    references: list[Reference]
    taken: frozenset[tuple[str, str, str]]
    paths: list[str]
    lines: int
    seconds: float
    questions: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


def check(
    request: CheckRequest,
    resolver: str = "auto",
    progress: Progress = lambda _done, _total: None,
) -> Checked:
    """Check the flows of *request* against their source.

    Args:
        request: What to check.
        resolver: What finds the definition of a name if the code around it does not
            show it.
        progress: Called with the number of steps read and the number of all steps.

    Raises:
        MissingExtraError: The resolver is not installed.
        ResolverError: It failed.
    """
    root = request.roots[0] if request.roots else Path.cwd()
    with closing(open_resolver(resolver, root, request.roots)) as session:
        checked = _check(request, session, progress)
    questions = {session.name: session.questions}
    return replace(checked, questions=questions, notes=session.notes())


def _check(request: CheckRequest, resolver: Resolver, progress: Progress) -> Checked:
    began = time.perf_counter()
    modules, broken = _read(request)
    program = Program(modules)
    steps = steps_of(request.known, program)
    known = [*request.known, *request.manifests]
    declarations = Declarations(request.flows, known, steps)
    unmarked = list(unmarked_overrides())
    plain = plain_methods(unmarked, program)
    interpreter = read_program(program, steps, plain, resolver, progress)
    findings = [_broken(one) for one in broken]
    findings += [_too_deep(one) for one in interpreter.too_deep]
    findings += judge_declarations(declarations, known)
    findings += judge_declarations(Declarations(request.manifests, known, steps), known)
    names = {flow.name for flow in request.flows}
    findings += judge_overrides(unmarked, names, program)
    findings += judge_decorators(steps, names, program.modules)
    if request.is_whole:
        findings += unreached(modules, request.imported)
    verdicts = follow_runs(interpreter, steps, declarations)
    dynamic = _dynamic_flows(interpreter, declarations)
    findings += [
        _uncertain(one) if one.code == "PEN201" and one.flow in dynamic else one
        for one in judge_calls(verdicts, declarations, named_steps(interpreter))
    ]
    return Checked(
        sorted(dict.fromkeys(findings), key=by_place),
        references(interpreter),
        frozenset((flow, before, after) for flow, after, before in verdicts.exercised),
        [module.path for module in modules],
        sum(_lines(module) for module in modules),
        time.perf_counter() - began,
    )


def _read(request: CheckRequest) -> tuple[list[Module], list[BrokenFile]]:
    wanted = {step.path for flow in request.known for step in flow.steps if step.path}
    # A manifest's paths are relative to its own repository.
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


def _dynamic_flows(interpreter: Interpreter, declarations: Declarations) -> set[str]:
    """Return the flows that call what is only known at run time."""
    dynamic = {
        invocation.func.function
        for invocation, summary in interpreter.read_steps()
        if summary.may & ANYTHING
    }
    return {one.flow.name for one in declarations if one.function in dynamic}


def _uncertain(finding: Finding) -> Finding:
    message = f"{finding.message} by name, but some calls are only known at run time"
    return replace(finding, message=message, is_uncertain=True)


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
