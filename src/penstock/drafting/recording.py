"""What really ran: calls that a command makes, in their order."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import ConfigurationError

from .entries import qualified
from .reading import Reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.program import Program

    from .reading import Reading

    Run = Mapping[Function, tuple[int, int, int]]

__all__ = ["calls_of", "kept_order", "record", "with_recorded"]

_RECORDER = Path(__file__).with_name("recorder.py")


def record(command: str, root: Path, program: Program, entry: Function) -> list[Run]:
    """Run *command*, and return the runs of *entry* that happen in it.

    Each run has the functions that began in it, with the number of the first and of
    the last call, and how many there were. What the command prints goes to stderr.

    Raises:
        ConfigurationError: The command cannot be read, or never calls *entry*.
    """
    try:
        words = shlex.split(command)
    except ValueError as exc:
        msg = f"{command!r} is not a command: {exc}."
        raise ConfigurationError(msg) from exc
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "calls.json")
        # A file, not a module: the command imports penstock itself, or never does.
        recorder = [sys.executable, str(_RECORDER), str(output), str(root)]
        done = subprocess.run(  # noqa: S603  # what the user asks for
            [*recorder, *words], check=False, stdout=2
        )
        threads = json.loads(output.read_text("utf-8")) if output.exists() else []
    runs = [run for events in threads for run in _runs(events, program, entry)]
    if not runs:
        msg = (
            f"{command!r} ended with status {done.returncode} and never called "
            f"{qualified(entry)}. Name a command that does; other processes that it "
            "starts are not recorded."
        )
        raise ConfigurationError(msg)
    return runs


def with_recorded(reading: Reading, runs: Iterable[Run]) -> Reading:
    """Return *reading* with the functions that only the runs have shown."""
    reached = dict(reading.reached)
    hidden = 0  # the functions that only runs have shown
    for run in runs:
        ran = 0
        position = 0.0
        for function in sorted(run, key=lambda one: run[one][0]):
            bit = reading.bits[function]
            known = reached.get(function)
            if known is None:
                known = Reached(function, position + 0.001, 2, is_sent=False)
                reached[function] = known
                hidden |= bit
            if bit & hidden:
                known.may |= ran
                known.must &= ran
            known.may |= ran & hidden
            known.is_guess = False
            position = known.position
            ran |= bit
    return replace(reading, reached=reached)


def kept_order(
    runs: Iterable[Run], before: Iterable[Function], after: Iterable[Function]
) -> tuple[int, int]:
    """Return how many runs kept an order, and how many had only the other one.

    Args:
        runs: The runs.
        before: A step: a function, or the overrides of one method.
        after: The step that should follow.
    """
    before, after = set(before), set(after)
    kept = against = 0
    for run in runs:
        firsts = [run[one][0] for one in before & run.keys()]
        later = [run[one] for one in after & run.keys()]
        if firsts and later:
            kept += min(firsts) < min(first for first, _, _ in later)
            against += min(firsts) > max(last for _, last, _ in later)
    return kept, against


def calls_of(runs: Iterable[Run], step: Iterable[Function]) -> int:
    """Return how often the runs have called *step*."""
    step = set(step)
    return sum(run[one][2] for run in runs for one in step & run.keys())


def _runs(
    events: Sequence[Sequence[Any]], program: Program, entry: Function
) -> Iterator[Run]:
    """Yield what began between the begin and the end of each call of *entry*."""
    inside: int | None = None
    run: dict[Function, tuple[int, int, int]] = {}
    for number, place in events:
        if place is None:
            if number == inside:
                yield run
                inside = None
            continue
        path, _, line = place.rpartition(":")
        function = program.function_at(path, int(line))
        if function is entry and inside is None:
            inside, run = number, {}
        if function is not None and inside is not None:
            first, _, count = run.get(function, (number, number, 0))
            run[function] = first, number, count + 1
    if inside is not None:
        yield run  # a coroutine, or a thread that goes on
