"""``penstock check``: hold the declared flows against the code."""

from __future__ import annotations

import glob
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock._manifests.manifest import load_manifest
from penstock._platform.file import write_file
from penstock._project.load import Loaded, load_flows, load_project
from penstock._project.settings import find_project
from penstock._project.shown import note, shown_path
from penstock.checking.output.reports import FORMATS, Report, github, statistics
from penstock.checking.request import request_for
from penstock.checking.silencing.baseline import without_known, write_baseline
from penstock.checking.silencing.comments import without_ignored
from penstock.checking.silencing.witnessed import read_evidence, without_witnessed
from penstock.errors import ConfigurationError

from ._output import emit
from ._reading import read_code
from ._reports import report_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock._project.settings import Project
    from penstock._types import FlowInfo
    from penstock.checking.check import Checked
    from penstock.checking.findings import Finding

__all__ = ["check_flows"]

_BASELINE = Path("penstock-baseline.json")
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check", short_help="Hold the flows of TARGETS against the code.")
@click.argument("targets", nargs=-1)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(list(FORMATS)),
    default="full",
    show_default=True,
    help="How findings are printed.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=_FILE,
    help="Report only what this file does not have, and what it has that is fixed.",
)
@click.option(
    "--update-baseline",
    is_flag=True,
    help=f"Write what is found to --baseline, else to {_BASELINE}, and be content.",
)
@click.option(
    "--evidence",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A report of recorded runs, as JSON, or a folder of them; an edge that a run "
    "has taken is right. May be given several times.",
)
@click.option(
    "--system",
    metavar="FILE",
    multiple=True,
    help="Manifests of other services, to hold names against; a pattern such as "
    "'manifests/*.json' will do. May be given several times.",
)
@click.option(
    "--calls",
    metavar="FILE",
    type=_FILE,
    help="Write every reference from step to step to this file, as JSON.",
)
@click.option(
    "--resolver",
    metavar="[auto|ty|jedi|NAME]",
    default="auto",
    show_default=True,
    help="What finds where a name is defined, if the code around it does not show it. "
    "auto is ty where it is installed, else jedi.",
)
@click.option(
    "--statistics", "with_statistics", is_flag=True, help="Count what was found."
)
def check_flows(
    targets: tuple[str, ...],
    form: str,
    baseline: Path | None,
    evidence: tuple[Path, ...],
    system: tuple[str, ...],
    calls: Path | None,
    resolver: str,
    *,
    update_baseline: bool,
    with_statistics: bool,
) -> None:
    """Hold the flows of TARGETS against the code, without running them.

    Exit status 1 if an error or a warning is left; infos are for your information.
    """
    witnessed = read_evidence(report_files(evidence))
    project = find_project(Path.cwd())
    baseline = baseline or project.baseline
    others = _manifests(system)
    loaded = _loaded(targets, project, others)
    request = request_for(*loaded, others, project.import_path, is_whole=not targets)
    checked, questions = read_code(request, resolver)
    if calls is not None:
        write_file(calls, _as_json(checked).encode())
    findings, ignored = without_ignored(
        checked.findings, checked.paths, request.imported
    )
    findings, seen = without_witnessed(findings, witnessed)
    if update_baseline:
        path = baseline or _BASELINE
        note(f"{write_baseline(path, findings)} findings written to {path}.")
        return
    known = 0
    if baseline is not None:
        findings, known = without_known(findings, baseline)
        if targets:  # of other flows nothing is known, so no entry of theirs is fixed
            names = {flow.name for flow in request.flows}
            findings = [f for f in findings if f.code != "PEN902" or f.flow in names]
    silenced = {
        "ignored": ignored,
        "witnessed by runs": seen,
        "in the baseline": known,
    }
    report = Report(
        sorted(findings, key=lambda f: (f.place, f.code, f.label, f.message)),
        len(request.flows),
        sum(len(flow.steps) for flow in request.flows),
        silenced,
        shown_path,
        _painter() if form in {"full", "concise"} else _unpainted,
    )
    emit(FORMATS[form](report))
    if form in {"full", "concise"} and os.environ.get("GITHUB_ACTIONS") == "true":
        emit(github(report))
    if with_statistics:
        _tell_statistics(findings, checked, questions)
    sys.exit(any(finding.level != "info" for finding in findings))


def _loaded(
    targets: Sequence[str], project: Project, others: Sequence[FlowInfo]
) -> Loaded:
    """Load the flows to check; where none are named, those of a system check itself."""
    if targets or not others:
        return load_flows(targets, project=project)
    loaded = load_project(project)
    return loaded if loaded.flows else Loaded(tuple(others), tuple(others))


def _manifests(patterns: Iterable[str]) -> list[FlowInfo]:
    found: list[FlowInfo] = []
    for pattern in patterns:
        paths = sorted(glob.glob(pattern, recursive=True)) or [pattern]  # noqa: PTH207  # a pattern may be absolute
        for path in paths:
            if not Path(path).is_file():
                msg = f"there is no manifest {path!r}. Write one: penstock export"
                raise ConfigurationError(msg)
            found += load_manifest(path)
    return found


def _as_json(checked: Checked) -> str:
    listed = [
        {
            "from": repr(one.caller),
            "to": repr(one.called),
            "path": shown_path(one.path),
            "line": one.line,
            "kind": one.kind,
        }
        for one in checked.references
    ]
    return json.dumps(listed, indent=2) + "\n"


def _painter() -> Callable[[str, str], str]:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return _unpainted
    return lambda text, style: (
        click.style(text, bold=True)
        if style == "bold"
        else click.style(text, fg=_COLOURS[style])
    )


def _unpainted(text: str, _style: str) -> str:
    return text


def _tell_statistics(
    findings: Iterable[Finding], checked: Checked, questions: str
) -> None:
    for line in statistics(findings):
        note(line)
    note(
        f"{len(checked.paths)} files, {checked.lines} lines, "
        f"{len(checked.references)} references, {questions}, "
        f"{checked.seconds:.1f} s"
    )
