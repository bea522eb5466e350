"""From a project to findings: the check behind the command line, Django and tests."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.load import (
    Loaded,
    flows_in_manifest,
    load_flows,
    load_project,
)
from penstock._project.settings import find_project
from penstock._registry import declared_flows

from .check import check
from .findings import by_place
from .quick import judge_quickly
from .recorded import read_evidence
from .request import request_for
from .silencing.baseline import without_known
from .silencing.comments import without_ignored
from .silencing.selection import Selection, without_unselected
from .silencing.witnessed import run_evidence, without_witnessed
from .text import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from penstock._project.settings import Project
    from penstock._types import FlowInfo

    from .check import Checked, Progress
    from .findings import Finding

__all__ = ["CheckResult", "check_project", "declaration_findings"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What ``check_project`` reports.

    Attributes:
        findings: What is left, sorted by place.
        silenced: How many findings each reason holds back.
        flows: The flows that were checked.
        code: What was read, and everything that was found in it.
        baseline: The baseline of the project, if it has one.
        notes: What was read from logs, in sentences.
    """

    findings: Sequence[Finding]
    silenced: Mapping[str, int]
    flows: Sequence[FlowInfo]
    code: Checked
    baseline: Path | None
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        """Return what ``penstock check`` prints."""
        return as_text(self.findings, self.flows, self.silenced)

    @property
    def is_clean(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.level == "info" for finding in self.findings)


def check_project(
    targets: Sequence[str] = (),
    *,
    evidence: Iterable[str | PathLike[str]] = (),
    system: Iterable[str] = (),
    baseline: str | PathLike[str] | None = None,
    use_baseline: bool = True,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    exclude: Sequence[str] = (),
    resolver: str = "auto",
    progress: Progress = lambda _done, _total: None,
) -> CheckResult:
    """Check flows against their source code, without running them.

    The project is the one that the current folder is in. Its modules are imported,
    and the folders that hold them stay on ``sys.path``.

    Args:
        targets: Modules, patterns, attributes and manifests, as on the command line.
            Without any, what pyproject.toml names, else a Django project's modules
            with flows, else what is declared already.
        evidence: Conformance reports, logs, folders of either, and ``clickhouse://``
            addresses. An edge that a run has taken is not reported.
        system: Manifests of other services, or patterns such as
            ``"manifests/*.json"``. Names that lead there are checked, too.
        baseline: A file of findings not to report, instead of the project's own.
        use_baseline: Whether to leave out what the baseline holds.
        select: Codes to report, or beginnings of codes; by default all.
        ignore: Codes not to report, or beginnings of codes.
        exclude: Files and folders whose findings are not reported, or patterns such
            as ``shop/legacy/*``.
        resolver: What finds the definition of a name if the code around it does not
            show it: ``ty``, ``jedi``, or one that a package registers.
        progress: Called with the number of steps read and the number of all steps.

    Raises:
        NoFlowError: There is no target, or the targets have no flow.
        PenstockError: A target cannot be imported, a file is not what it should be,
            or no resolver is installed.
    """
    selection = Selection(select, ignore, exclude)
    selection.refuse_unknown()
    project = find_project(Path.cwd())
    others = _manifests(system)
    loaded = _loaded(targets, project, others)
    recorded = read_evidence(evidence, loaded.known)
    request = request_for(*loaded, others, project.import_path, is_whole=not targets)
    code = check(request, resolver, progress)
    findings, ignored = without_ignored(code.findings, code.paths, request.imported)
    findings, witnessed = without_witnessed(findings, run_evidence(recorded.flows))
    file = Path(baseline) if baseline else project.baseline
    known = 0
    if file is not None and use_baseline:
        findings, known = without_known(findings, file)
        if targets:  # an entry of a flow that was not checked may still be right
            names = {flow.name for flow in loaded.flows}
            findings = [f for f in findings if f.code != "PEN902" or f.flow in names]
    findings, unselected = without_unselected(findings, selection)
    silenced = {
        "ignored": ignored,
        "witnessed by runs": witnessed,
        "in the baseline": known,
        "not selected": unselected,
    }
    return CheckResult(
        sorted(findings, key=by_place),
        silenced,
        loaded.flows,
        code,
        file,
        recorded.notes,
    )


def declaration_findings() -> Sequence[Finding]:
    """Return what is wrong with the project's declarations.

    Imports the rest of the project only if the flows that are declared already seem
    wrong, and reads no source but that of wrong declarations.

    Raises:
        PenstockError: The project cannot be imported, or a file is not what it should
            be.
    """
    project = find_project(Path.cwd())
    manifests = [target for target in project.targets if target.endswith(".json")]
    if manifests:
        flows, others = declared_flows(), load_flows(manifests, project=project).known
        if not judge_quickly(flows, [*flows, *others]):
            return []
    found = judge_quickly(*load_project(project))
    if not found or project.baseline is None:
        return found
    kept, _ = without_known(found, project.baseline)
    return [finding for finding in kept if finding.code != "PEN902"]


def _loaded(
    targets: Sequence[str], project: Project, others: Sequence[FlowInfo]
) -> Loaded:
    """Load the flows to check; if there are none, check the manifests of *others*."""
    if not targets:
        loaded = load_project(project)
        if loaded.flows:
            return loaded
        if others:
            return Loaded(tuple(others), tuple(others))
    return load_flows(targets, project=project)


def _manifests(patterns: Iterable[str]) -> list[FlowInfo]:
    return [
        flow
        for pattern in patterns
        for path in sorted(glob.glob(pattern, recursive=True)) or [pattern]  # noqa: PTH207  # a pattern may be absolute
        for flow in flows_in_manifest(path)
    ]
