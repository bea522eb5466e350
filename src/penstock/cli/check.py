"""``penstock check``: check the declared flows against the code."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from penstock._platform.file import write_file
from penstock._project.shown import counted, note, shown_path
from penstock.checking.output.reports import (
    FOR_PEOPLE,
    FOR_PROGRAMS,
    github,
    statistics,
)
from penstock.checking.pipeline import check_project
from penstock.checking.silencing.baseline import write_baseline
from penstock.checking.text import unpainted

from ._options import evidence_option, file_option, format_option, targets_argument
from ._output import emit
from ._progress import reading_progress

if TYPE_CHECKING:
    from typing import Unpack

    from penstock.checking.check import Checked
    from penstock.checking.pipeline import CheckResult

    from ._options import Decorator

__all__ = ["check_flows"]

_BASELINE = Path("penstock-baseline.json")
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


class _CheckOptions(TypedDict):
    """The options that ``check_project`` has, too."""

    baseline: Path | None
    evidence: tuple[str, ...]
    system: tuple[str, ...]
    select: list[str]
    ignore: list[str]
    exclude: tuple[str, ...]
    resolver: str


def _codes(_context: object, _option: object, given: tuple[str, ...]) -> list[str]:
    codes = ",".join(given).upper().replace(" ", "").split(",")
    return [code for code in codes if code]


def _codes_option(name: str, explained: str) -> Decorator:
    more = "A beginning such as PEN1 stands for several; separate them by commas."
    help_text = f"{explained} {more}"
    return click.option(
        name, metavar="CODES", multiple=True, callback=_codes, help=help_text
    )


@click.command(
    "check",
    short_help="Check the flows of TARGETS against the code.",
    epilog="Example: penstock check shop --select PEN1 --exclude 'shop/legacy/*'",
)
@targets_argument
@format_option([*FOR_PEOPLE, *FOR_PROGRAMS], "How to print findings.")
@file_option(
    "--baseline",
    explained="Report only what is not in this file, and what is in it but fixed.",
)
@click.option(
    "--update-baseline",
    is_flag=True,
    help=f"Write all findings to --baseline, else to {_BASELINE}, and exit with 0.",
)
@evidence_option("an edge that a run has taken is not reported.")
@click.option(
    "--system",
    metavar="FILE",
    multiple=True,
    help="A manifest of another service, or a pattern such as 'manifests/*.json'. "
    "Names that lead there are checked, too. May be given several times.",
)
@file_option(
    "--calls", explained="Write every reference from step to step to this JSON file."
)
@click.option(
    "--resolver",
    metavar="[auto|ty|jedi|NAME]",
    default="auto",
    show_default=True,
    help="What finds the definition of a name, if the code around it does not show it. "
    "auto is ty if that is installed, else jedi.",
)
@_codes_option("--select", explained="Report only findings with these codes.")
@_codes_option("--ignore", explained="Do not report findings with these codes.")
@click.option(
    "--exclude",
    metavar="PATH",
    multiple=True,
    help="Do not report findings in this file or folder, or in those that match a "
    "pattern such as 'shop/legacy/*'. May be given several times.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 despite findings.")
@click.option(
    "--statistics", "with_statistics", is_flag=True, help="Count findings by code."
)
def check_flows(
    targets: tuple[str, ...],
    form: str,
    calls: Path | None,
    *,
    update_baseline: bool,
    exit_zero: bool,
    with_statistics: bool,
    **options: Unpack[_CheckOptions],
) -> None:
    """Check the flows of TARGETS against the code, without running them.

    Exit status 1 if there is an error or a warning; infos do not count.
    """
    with reading_progress() as progress:
        result = check_project(
            targets, use_baseline=not update_baseline, progress=progress, **options
        )
    for message in (*result.notes, *result.code.notes):
        note(message)
    if calls is not None:
        write_file(calls, _calls_as_json(result.code).encode())
    if update_baseline:
        path = result.baseline or _BASELINE
        written = counted(write_baseline(path, result.findings), "finding")
        note(f"Wrote {written} to {path}.")
        return
    _print(result, form)
    if with_statistics:
        _print_statistics(result)
    sys.exit(not result.is_clean and not exit_zero)


def _print(result: CheckResult, form: str) -> None:
    if form in FOR_PROGRAMS:
        emit(FOR_PROGRAMS[form](result))
        return
    has_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    emit(FOR_PEOPLE[form](result, _painted if has_colour else unpainted))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        emit(github(result))


def _painted(text: str, style: str) -> str:
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, fg=_COLOURS[style])


def _calls_as_json(code: Checked) -> str:
    listed = [
        {
            "from": repr(one.caller),
            "to": repr(one.called),
            "path": shown_path(one.path),
            "line": one.line,
            "kind": one.kind,
        }
        for one in code.references
    ]
    return json.dumps(listed, indent=2) + "\n"


def _print_statistics(result: CheckResult) -> None:
    for line in statistics(result.findings):
        note(line)
    code = result.code
    asked = [f"{count} questions to {name}" for name, count in code.questions.items()]
    note(
        f"{len(code.paths)} files, {code.lines} lines, "
        f"{len(code.references)} references, {', '.join(asked)}, {code.seconds:.1f} s"
    )
