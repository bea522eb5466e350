"""Draft the plan of a flow: from an entry to steps with their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.imports import MissingTargetError
from penstock._project.shown import shown_path
from penstock.errors import did_you_mean

from .choosing import choose, find_group, is_guess
from .dispatches import dispatches
from .emptiness import reason_for_nothing
from .entries import find_entry, find_function, qualified
from .ordering import predecessors
from .plan import DraftPlan, PlannedStep
from .reading import read_entry, read_project
from .recording import calls_of, kept_order, record, with_recorded
from .step_names import flow_name, step_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.program import Program

    from .reading import Reading
    from .recording import Run

__all__ = ["Draft", "complete_plan", "draft_plan", "module_paths", "project_program"]

_MAX_OTHERS = 25  # that the plan lists
_ASIDE = {"tests", "test", "docs", "conftest.py", "setup.py", "noxfile.py"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan, and what its picture does not show.

    Attributes:
        plan: The plan.
        reached: How many functions the entry leads to; 0 if the code was not read.
        hubs: Functions that many steps call, so that they are not drawn.
        ends: Places where a call by string or by registry ends the picture.
        notes: What the user should know.
        reason: Why nothing but the entry is drawn, and what to do; else ``""``.
    """

    plan: DraftPlan
    reached: int = 0
    hubs: Sequence[str] = ()
    ends: Sequence[str] = ()
    notes: Sequence[str] = ()
    reason: str = ""


def _project_folders(
    import_path: Sequence[Path], entry: str
) -> tuple[Path, list[Path]]:
    """Return the folder that *entry* is imported from, and what else is in it.

    Raises:
        MissingTargetError: The module is in none of the folders.
    """
    top = re.split(r"[.:/]", entry)[0]
    module = Path(*entry.partition(":")[0].split("."))
    roots = list(dict.fromkeys(path.resolve() for path in import_path))
    # A folder of the package's name may hold something else, such as uploads.
    roots.sort(
        key=lambda one: (
            not any(
                (one / file).is_file()
                for file in (module.with_suffix(".py"), module / "__init__.py")
            )
        )
    )
    for root in roots:
        own = [root / top, root / f"{top}.py"]
        if any(one.exists() for one in own):
            return root, [one for one in own if one.exists()] + _beside(root, top)
    folders = ", ".join(dict.fromkeys(shown_path(str(one)) for one in import_path))
    msg = (
        f"there is no module {top!r} in {folders}. Run penstock draft in the folder "
        "that the module is imported from."
    )
    raise MissingTargetError(msg)


def _beside(root: Path, top: str) -> list[Path]:
    return [
        path
        for path in sorted(root.iterdir())
        if path.name not in _ASIDE and path.stem != top
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    ]


def project_program(import_path: Sequence[Path]) -> Program:
    """Parse everything that can be imported from *import_path*, except tests."""
    roots = list(dict.fromkeys(path.resolve() for path in import_path))
    folders = [folder for root in reversed(roots) for folder in _beside(root, "")]
    return read_project(dict.fromkeys(folders), roots)


def draft_plan(
    entry: str,
    import_path: Sequence[Path],
    *,
    size: int = 12,
    resolver: str = "auto",
    command: str = "",
) -> Draft:
    """Read the project from *entry*, and choose about *size* steps.

    Args:
        entry: The function that a run begins in.
        import_path: Folders that hold the project's modules.
        size: How many steps to choose, the entry included.
        resolver: What finds the definition of a name.
        command: A command that calls *entry*: its calls are recorded.

    Raises:
        MissingTargetError: There is no such function.
        MissingExtraError: No resolver is installed.
        ResolverError: The resolver failed.
        ConfigurationError: The command does not call *entry*.
    """
    program, reading, runs = _read(entry, import_path, resolver, command)
    choices = choose(reading, size)
    functions = [one.reached.function for one in choices.steps]
    several = {
        one.reached.function: reading.overridden[one.reached.function]
        for one in choices.steps
        if one.overrides > 1
    }
    names = step_names(functions, several=several)
    after, notes = _without_contradicted(reading, functions, runs)
    order = list(after)
    chosen = sorted(choices.steps, key=lambda one: order.index(one.reached.function))
    steps = tuple(
        PlannedStep(
            qualified(one.reached.function),
            names[one.reached.function],
            tuple(names[before] for before in after[one.reached.function]),
            one.why,
            _recorded(reading, one.reached.function, after, names, runs),
            calls_of(runs, find_group(reading, one.reached.function)),
            overrides=one.overrides if one.overrides > 1 else 0,
            is_guess=is_guess(reading, one.reached.function, functions),
            is_sent=_is_sent(reading, one.reached.function),
        )
        for one in chosen
    )
    others = tuple(
        (qualified(one.reached.function), one.why)
        for one in (*choices.hubs, *choices.others[:_MAX_OTHERS])
    )
    plan = DraftPlan(flow_name(reading), entry, steps, "", others)
    hubs = [qualified(one.reached.function) for one in choices.hubs]
    ends = dispatches(reading.reached)
    notes = [*reading.notes, *notes]
    reason = "" if steps[1:] else reason_for_nothing(program, reading, ends)
    return Draft(plan, len(reading.reached), hubs, ends, notes, reason)


def complete_plan(
    plan: DraftPlan,
    import_path: Sequence[Path],
    resolver: str = "auto",
    command: str = "",
) -> Draft:
    """Fill in what *plan* lacks: names, and what steps come after.

    What a step comes after is worked out again if it names a step that is gone.

    Raises:
        MissingTargetError: A function of the plan is not there.
        MissingExtraError: No resolver is installed.
        ResolverError: The resolver failed.
    """
    if plan.is_complete and not command:
        return Draft(plan)
    program, reading, runs = _read(plan.entry, import_path, resolver, command)
    functions = [_function(program, one.function) for one in plan.steps]
    taken = {
        function: one.name
        for function, one in zip(functions, plan.steps, strict=True)
        if one.name
    }
    names = {**step_names(functions, taken.values()), **taken}
    after = predecessors(reading, functions)
    by_name = {name: function for function, name in names.items()}
    known = set(names.values())
    added = {
        names[function]
        for function, step in zip(functions, plan.steps, strict=True)
        if step.after is None
    }
    notes = list(reading.notes)
    steps: list[PlannedStep] = []
    for function, step in zip(functions, plan.steps, strict=True):
        filled = replace(step, name=names[function])
        if step.after is None or not known.issuperset(step.after):
            gone = [one for one in step.after or () if one not in known]
            found = tuple(names[one] for one in after.get(function, ()))
            kept = [one for one in step.after or () if one in known]
            filled = replace(filled, after=tuple(dict.fromkeys([*kept, *found])))
            if function in reading.reached:
                guess = step.is_guess or is_guess(reading, function, functions)
                sent = _is_sent(reading, function)
                filled = replace(filled, is_guess=guess, is_sent=sent)
            if gone:
                left = ", ".join(map(repr, gone))
                notes.append(f"{filled.name}: {left} is not in the plan any more.")
        else:
            before = [names[one] for one in after.get(function, ())]
            notes += [
                f"{filled.name}: the code calls {one!r} before it. To draw that, "
                "delete its 'after'."
                for one in before
                if one in added.difference(step.after)
            ]
        if runs:
            own = {function: [by_name[one] for one in filled.after or ()]}
            counts = _recorded(reading, function, own, names, runs)
            calls = calls_of(runs, find_group(reading, function))
            filled = replace(filled, recorded=counts, calls=calls)
        if function not in reading.reached:
            notes.append(f"{step.function} is not reached from the entry.")
        steps.append(filled)
    ends = dispatches(reading.reached)
    return Draft(
        replace(plan, steps=tuple(steps)), len(reading.reached), (), ends, notes
    )


def module_paths(
    plan: DraftPlan, import_path: Sequence[Path]
) -> tuple[dict[str, Path], Path]:
    """Return the file of each module of *plan*, and where imports start from.

    Raises:
        MissingTargetError: A module is not there.
    """
    root, _ = _project_folders(import_path, plan.steps[0].function)
    found: dict[str, Path] = {}
    for one in plan.steps:
        module = one.function.partition(":")[0]
        path = root.joinpath(*module.split("."))
        files = (path.with_suffix(".py"), path / "__init__.py")
        file = next((one for one in files if one.is_file()), None)
        if file is None:
            msg = f"the plan has {one.function!r}, but there is no module {module!r}."
            raise MissingTargetError(msg)
        found[module] = file
    return found, root


def _read(
    entry: str, import_path: Sequence[Path], resolver: str, command: str
) -> tuple[Program, Reading, list[Run]]:
    root, folders = _project_folders(import_path, entry)
    program = read_project(folders, [root])
    begin = find_entry(program, entry)
    runs = record(command, root, program, begin.function) if command else []
    reading = read_entry(program, begin, [root], resolver)
    return program, with_recorded(reading, runs), runs


def _without_contradicted(
    reading: Reading, functions: Sequence[Function], runs: Sequence[Run]
) -> tuple[Mapping[Function, list[Function]], list[str]]:
    """Return what each step comes after, except where runs show the other order."""
    found: dict[Function, list[Function]] = {}
    notes: list[str] = []
    for step, before in predecessors(reading, functions).items():
        kept: list[Function] = []
        for one in before:
            seen, against = _order(reading, runs, one, step)
            if against and not seen:
                notes.append(
                    f"{qualified(one)} ran after {qualified(step)} in each run, so "
                    "this edge is not drawn."
                )
            else:
                kept.append(one)
        found[step] = kept or before
    return found, notes


def _order(
    reading: Reading, runs: Sequence[Run], before: Function, after: Function
) -> tuple[int, int]:
    groups = (find_group(reading, one) for one in (before, after))
    return kept_order(runs, *groups)


def _is_sent(reading: Reading, step: Function) -> bool:
    return all(reading.reached[one].is_sent for one in find_group(reading, step))


def _recorded(
    reading: Reading,
    step: Function,
    after: Mapping[Function, Sequence[Function]],
    names: Mapping[Function, str],
    runs: Sequence[Run],
) -> tuple[tuple[str, int], ...]:
    """Return the predecessors of *step* that runs have shown, with their number."""
    counts = (
        (names[one], _order(reading, runs, one, step)[0]) for one in after.get(step, ())
    )
    return tuple(one for one in counts if one[1])


def _function(program: Program, name: str) -> Function:
    found = find_function(program, name)
    if found is None:
        known = map(qualified, dict.fromkeys(program.functions.values()))
        msg = f"the plan has {name!r}, which does not exist.{did_you_mean(name, known)}"
        raise MissingTargetError(msg)
    return found
