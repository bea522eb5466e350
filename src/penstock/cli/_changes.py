"""What differs between two sets of flows, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from penstock.errors import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock._manifests.diff import FieldChange, FlowChange

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def changes_as_text(changes: Sequence[FlowChange]) -> str:
    """Return one paragraph per flow, and a summary."""
    if not changes:
        return "no flow differs"
    parts = ["\n".join(_paragraph(change)) for change in changes]
    return "\n\n".join((*parts, _counted(changes)))


def changes_as_json(changes: Sequence[FlowChange]) -> str:
    """Return a JSON list with an object for each flow that differs."""
    return json.dumps([asdict(change) for change in changes], indent=2)


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
