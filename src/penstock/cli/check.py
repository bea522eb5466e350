"""``penstock check``: hold the declared flows against the code."""

from __future__ import annotations

import glob
import json
import os
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock._file import write_file
from penstock._manifest import load_manifest
from penstock._optional import requires
from penstock.checking.asking import CHOICES, resolvers
from penstock.checking.baseline import without_known, write_baseline
from penstock.checking.check import Request, check, folders_of
from penstock.checking.evidence import read_evidence, without_witnessed
from penstock.checking.ignores import without_ignored
from penstock.checking.reports import FORMATS, Report, github, statistics
from penstock.errors import ConfigurationError

from ._output import emit, note, shown_path
from ._project import find_project
from ._targets import load_flows

with requires("rich", extra="cli"):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.checking.asking import Choice
    from penstock.checking.check import Checked
    from penstock.checking.findings import Finding

    from ._targets import Loaded

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
    type=_FILE,
    multiple=True,
    help="A report of recorded runs, as JSON; an edge that a run has taken is right. "
    "May be given several times.",
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
    type=click.Choice(CHOICES),
    default="auto",
    show_default=True,
    help="Who is asked where a name is defined; auto is ty where that is installed, "
    "else jedi.",
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
    resolver: Choice,
    *,
    update_baseline: bool,
    with_statistics: bool,
) -> None:
    """Hold the flows of TARGETS against the code, without running them.

    Exit status 1 if an error or a warning is left; infos are for your information.
    """
    witnessed = read_evidence(evidence)
    loaded = load_flows(targets)
    request = _request(loaded, _manifests(system), is_whole=not targets)
    checked, questions = _checked(request, resolver)
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


def _request(
    loaded: Loaded, manifests: Sequence[FlowInfo], *, is_whole: bool
) -> Request:
    project = find_project(Path.cwd())
    roots = {path.resolve(): None for path in project.import_path}
    for flow in loaded.known:
        for step in flow.steps:
            root = _root_of(step.path, step.module)
            if root is not None:
                roots[root] = None
    own = {flow.service for flow in loaded.known if flow.service}
    others = [flow for flow in manifests if flow.service not in own]
    files = {getattr(one, "__file__", None) for one in list(sys.modules.values())}
    folders = folders_of(loaded.known, list(roots))
    return Request(
        loaded.flows,
        loaded.known,
        others,
        [*folders, *_siblings(folders)],
        list(roots),
        frozenset(str(Path(file).resolve()) for file in files if file),
        is_whole,
    )


def _root_of(path: str, module: str) -> Path | None:
    """Return the folder from which *module* is imported, if its name tells."""
    parts = module.split(".")
    file = Path(path)
    if not file.is_absolute() or not file.is_file():
        return None
    own = (
        [*file.parent.parts, file.stem]
        if file.stem != "__init__"
        else [*file.parent.parts]
    )
    if own[-len(parts) :] != parts:
        return None
    return Path(*own[: -len(parts)])


def _siblings(folders: Iterable[Path]) -> list[Path]:
    """Return the other packages and modules beside those of the project."""
    found: dict[Path, None] = {}
    for root in {folder.parent for folder in folders}:
        if root.name in {"site-packages", "dist-packages"}:
            continue
        for path in sorted(root.iterdir()):
            is_package = (path / "__init__.py").is_file()
            if path.name not in _ASIDE and (is_package or path.suffix == ".py"):
                found[path] = None
    return [path for path in found if path not in set(folders)]


_ASIDE = {"tests", "test", "docs", "conftest.py", "setup.py", "noxfile.py"}


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


def _checked(request: Request, choice: Choice) -> tuple[Checked, str]:
    root = request.roots[0] if request.roots else Path.cwd()
    asked = resolvers(choice, root, request.roots)
    with closing(asked), _progress() as progress:
        checked = check(request, asked, progress)
    for one in asked.notes:
        note(one)
    counts = [f"{count} questions to {name}" for name, count in asked.asked.items()]
    return checked, ", ".join(counts)


@contextmanager
def _progress() -> Generator[Callable[[int, int], None]]:
    """Show on a terminal how far the reading is."""
    console = Console(stderr=True)
    columns = (TextColumn("reading steps"), BarColumn(), MofNCompleteColumn())
    shown = Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    )
    with shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


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
