"""``penstock draft``: a first picture of code that has no markers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock._dag import draw
from penstock._project.imports import MissingTargetError
from penstock._project.load import is_django
from penstock._project.settings import find_project
from penstock._project.shown import counted, note, shown_path
from penstock.drafting.candidates import KINDS, find_candidates
from penstock.drafting.draft import (
    complete_plan,
    draft_plan,
    module_paths,
    project_program,
)
from penstock.drafting.drawing import evidence_of, flow_of, footer
from penstock.drafting.writing import apply_changes, changes_for, refuse_dirty
from penstock.errors import plain
from penstock.renderers.formats import FORMATS, THEMES

from ._options import file_option
from ._output import emit, warnings_as_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._project.settings import Project
    from penstock.drafting.draft import Draft
    from penstock.drafting.plan import DraftPlan
    from penstock.renderers.formats import Theme

__all__ = ["draft"]


@click.command(
    "draft",
    epilog="Example: penstock draft shop.views:checkout --plan draft.toml",
)
@click.argument("entry", required=False)
@click.option(
    "--steps",
    metavar="N",
    type=click.IntRange(min=2),
    default=12,
    show_default=True,
    help="About how many steps to draw.",
)
@file_option(
    "--plan",
    explained="Write the draft to this TOML file, or draw the one that is there.",
)
@click.option(
    "--format",
    "-f",
    "form",
    metavar="FORMAT",
    help=f"One of {', '.join(FORMATS)}. By default the one of --output's suffix, "
    "else text.",
)
@file_option("--output", "-o", explained="Write the drawing to this file.")
@click.option(
    "--theme",
    type=click.Choice(THEMES),
    help="Draw SVG or PNG for light or for dark pages, as in penstock dag.",
)
@click.option(
    "--from",
    "command",
    metavar="COMMAND",
    default="",
    help="Record what COMMAND really calls, such as 'pytest tests/checkout'. Edges "
    "that it shows are certain; those that are only read are a guess.",
)
@click.option(
    "--resolver",
    metavar="[auto|ty|jedi|NAME]",
    default="auto",
    show_default=True,
    help="What finds the definition of a name, as in penstock check.",
)
@click.option(
    "--write",
    "writes",
    is_flag=True,
    help="Show the markers of --plan as a diff, and write them into the source.",
)
@click.option(
    "--allow-dirty",
    is_flag=True,
    help="With --write, change files that have changes that are not in Git.",
)
def draft(
    entry: str | None,
    steps: int,
    plan: Path | None,
    form: str | None,
    output: Path | None,
    theme: Theme | None,
    resolver: str,
    command: str,
    *,
    writes: bool,
    allow_dirty: bool,
) -> None:
    """Draw the flow behind ENTRY, a function without markers.

    Without ENTRY, list the functions that a run may begin in.

    ENTRY is a view, a task, a command or any other function, as module:function.
    penstock reads the code that it leads to, and chooses the steps that seem to
    matter, in the order of execution.
    """
    if writes and plan is None:
        msg = "--write needs --plan FILE: look at the plan before penstock writes it."
        raise click.UsageError(msg)
    project = find_project(Path.cwd())
    path = project.import_path
    if entry is None and plan is None:
        _list(project, form)
        return
    if plan is None:
        made = draft_plan(
            _given(entry), path, size=steps, resolver=resolver, command=command
        )
    else:
        made = _with_file(
            plan, entry, path, size=steps, resolver=resolver, command=command
        )
    for message in made.notes:
        note(message)
    if writes:
        _write(made.plan, path, allow_dirty=allow_dirty)
        return
    form = form or ("text" if output is None else None)
    with warnings_as_notes():
        drawing = draw(
            [flow_of(made.plan, made.reason)],
            format=form,
            output=output,
            theme=theme,
            detail=bool(made.reason),
            evidence=evidence_of(made.plan),
        )
    if drawing is not None:
        emit(drawing)
    for line in footer(made):
        note(line)


def _list(project: Project, form: str | None) -> None:
    """List the views, routes, tasks and commands of the project."""
    program = project_program(project.import_path)
    found = find_candidates(program, has_django=is_django(project))
    if form == "json":
        listed = [one._replace(path=shown_path(one.path)) for one in found]
        emit(json.dumps([one._asdict() for one in listed], indent=2))
        return
    if not found:
        msg = (
            "found no view, route, task or command. Name a function: "
            "penstock draft shop.orders:place"
        )
        raise MissingTargetError(msg)
    for kind in KINDS:
        own = [one for one in found if one.kind == kind]
        if own:
            emit(f"{counted(len(own), kind)}:")
        for one in own:
            place = f"{shown_path(one.path)}:{one.line}"
            route = f"  {one.route}" if one.route else ""
            emit(plain(f"  {one.entry}  {place}{route}"))


def _given(entry: str | None) -> str:
    if entry is None:
        msg = "name an entry, such as shop.views:checkout"
        raise click.UsageError(msg)
    return entry


def _with_file(
    file: Path,
    entry: str | None,
    path: Sequence[Path],
    *,
    size: int,
    resolver: str,
    command: str,
) -> Draft:
    """Draft a plan and write it to *file*, or complete the one that is there."""
    # Here, because only a plan needs tomlkit, which is an extra.
    from penstock.drafting.plan_file import (  # noqa: PLC0415  # see above
        read_plan,
        write_plan,
    )

    if not file.exists():
        made = draft_plan(
            _given(entry), path, size=size, resolver=resolver, command=command
        )
    else:
        plan = read_plan(file)
        if entry not in {None, plan.entry}:
            msg = (
                f"{file} is the plan of {plan.entry}, not of {entry}. Name a new file."
            )
            raise click.UsageError(msg)
        made = complete_plan(plan, path, resolver, command)
    write_plan(file, made.plan)
    return made


def _write(plan: DraftPlan, path: Sequence[Path], *, allow_dirty: bool) -> None:
    """Show what the markers of *plan* change, and write them."""
    changes = changes_for(plan, *module_paths(plan, path))
    if not changes:
        note("All markers of this plan are there.")
        return
    if not allow_dirty:
        refuse_dirty(changes)
    emit("".join(one.diff for one in changes))
    if sys.stdin.isatty() and not click.confirm("Write this?", err=True):
        return
    apply_changes(changes)
    for one in plan.steps:
        if one.overrides:
            note(
                f"{one.name} stands for {one.overrides} overrides, and only "
                f"{one.function} is marked."
            )
    files = counted(len(changes), "file")
    note(f"Changed {files}, for {counted(len(plan.steps), 'step')}.")
