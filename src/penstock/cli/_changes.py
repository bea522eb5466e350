"""What differs between two sets of flows, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from penstock.errors import plain
from penstock.runs.output.order_text import out_of_order, runs_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._manifests.diff import FieldChange, FlowChange
    from penstock.checking.backtest import FlowTrial

    Trials = Mapping[str, FlowTrial]

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def changes_as_text(changes: Sequence[FlowChange], trials: Trials | None = None) -> str:
    """Return one paragraph per flow, and a summary.

    With *trials*, a paragraph says what the changes would have meant for stored runs.
    """
    if not changes:
        return "no flow differs"
    parts = []
    for change in changes:
        trial = _tried(trials[change.name]) if trials else ()
        parts.append("\n".join((*_paragraph(change), *trial)))
    return "\n\n".join((*parts, _counted(changes)))


def changes_as_json(changes: Sequence[FlowChange], trials: Trials | None = None) -> str:
    """Return a JSON list with an object for each flow that differs.

    With *trials*, it says under ``evidence`` what stored runs show.
    """
    listed = [
        {**asdict(one), **({"evidence": asdict(trials[one.name])} if trials else {})}
        for one in changes
    ]
    return json.dumps(listed, indent=2)


def _paragraph(change: FlowChange) -> Iterator[str]:
    yield f"{_SIGNS[change.status]} flow {plain(change.name)}"
    for field in change.fields:
        yield f"  ~ {_words(field)}"
    for step in change.steps:
        yield f"  {_SIGNS[step.status]} step {plain(step.name)}"
        for field in step.fields:
            yield f"      {_words(field)}"
    for edge in change.edges:
        arrow = f"{plain(edge.before)} → {plain(edge.after)}"
        yield f"  {_SIGNS[edge.status]} edge {arrow}"


def _tried(trial: FlowTrial) -> Iterator[str]:
    """Yield what stored runs show about the changes of a flow."""
    unknown = f", {trial.unknown:,} of them unknown" if trial.unknown else ""
    yield f"  {runs_in_words(trial.runs)} in the logs{unknown}:"
    for edge in trial.edges:
        name = f"{plain(edge.after)} after {plain(edge.before)}"
        found = f"taken by {edge.calls:,} call{'' if edge.calls == 1 else 's'}"
        if edge.status == "added" or edge.broken.runs:
            found += f", {out_of_order(edge.broken, trial.runs)}"
        yield f"    {_SIGNS[edge.status]} {name}: {found}"
    for step in trial.steps:
        if not step.old.runs and not step.new.runs:
            continue
        found = f"{out_of_order(step.new, trial.runs)}; before the change in"
        yield f"    ~ {plain(step.name)}: {found} {runs_in_words(step.old.runs)}"


def _words(change: FieldChange) -> str:
    old, new = (plain(text) or "(none)" for text in (change.old, change.new))
    return f"{change.field}: {old} → {new}"


def _counted(changes: Iterable[FlowChange]) -> str:
    counts: dict[str, Counter[str]] = {}
    for change in changes:
        counts.setdefault("flow", Counter())[change.status] += 1
        counts.setdefault("step", Counter()).update(s.status for s in change.steps)
        counts.setdefault("edge", Counter()).update(e.status for e in change.edges)
    return "; ".join(
        f"{kind}s: {', '.join(f'{n} {status}' for status, n in sorted(found.items()))}"
        for kind, found in counts.items()
        if found
    )
