"""Give every node of a drawing an identifier that is valid in any diagram language."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._graph.graph import Graph

# Keywords of Mermaid, and properties of the JavaScript object it keeps nodes in.
_TAKEN = frozenset((
    "end", "graph", "subgraph", "flowchart", "style", "linkStyle", "classDef", "class",
    "click", "call", "href", "interpolate", "_blank", "_self", "_parent", "_top",
    "constructor", "toString", "valueOf", "hasOwnProperty", "__proto__",
))  # fmt: skip
# Mermaid reads "direction" at the end of a line, followed by one of these at the start
# of the next, as a statement about the layout.
_DIRECTIONS = frozenset(("TB", "BT", "RL", "LR", "TD"))
_UNFIT = re.compile(r"[^A-Za-z0-9]+")
_MAX_LENGTH = 40


def is_bare(label: str) -> bool:
    """Return whether a label is a valid identifier."""
    return (
        label.isascii()
        and label.isidentifier()
        and label not in _TAKEN
        and label[:2] not in _DIRECTIONS
    )


def node_ids(graph: Graph) -> list[str]:
    """Return an identifier for each node: its label, if that is valid and unique.

    Otherwise it is derived from the label, so that it stays the same when something
    else in the graph changes.
    """
    labels = graph.labels
    times = Counter(labels) if len(graph.flows) > 1 else {}
    ids = [one if is_bare(one) and times.get(one, 1) == 1 else "" for one in labels]
    missing = [number for number, given in enumerate(ids) if not given]
    missing.sort(key=lambda one: (labels[one], graph.steps[one].flow))
    maker = _IdMaker(set(ids) if missing else set())
    for one in missing:
        label = labels[one]
        is_shared = times.get(label, 1) > 1
        ids[one] = maker.make(
            f"{graph.steps[one].flow} {label}" if is_shared else label
        )
    return ids


def cluster_ids(graph: Graph, nodes: list[str]) -> dict[str, str]:
    """Return an identifier for each flow, different from all of *nodes*."""
    maker = _IdMaker(set(nodes))
    names = sorted({flow.name for flow in graph.flows})
    return {name: maker.make(f"flow {name}") for name in names}


def legend_id(*taken: Iterable[str]) -> str:
    """Return an identifier for the legend, different from all of *taken*."""
    return _IdMaker({one for some in taken for one in some}).make("legend")


class _IdMaker:
    """Makes identifiers, and never the same one twice."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._times: Counter[str] = Counter()

    def make(self, text: str) -> str:
        """Return a new identifier that resembles *text*."""
        stem = _UNFIT.sub("_", text[:_MAX_LENGTH]).strip("_")
        if not is_bare(stem):
            stem = f"s_{stem}".strip("_")
        name = stem
        while name in self._taken:
            self._times[stem] += 1
            name = f"{stem}_{self._times[stem] + 1}"
        self._taken.add(name)
        return name
