"""Draw the flows of a report, with the evidence for each edge."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from penstock._dag import draw
from penstock._graph.evidence import Sources
from penstock._platform.file import write_file
from penstock._registry import declared_flows
from penstock._types import FlowInfo, StepInfo
from penstock.renderers.formats import MARKDOWN_SUFFIXES, fenced
from penstock.renderers.labels import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def write_diagram(report: Mapping[str, Any], path: Path) -> list[str]:
    """Draw each flow of *report* in the format of *path*; return any warnings.

    Raises:
        RenderError: It cannot be drawn or written.
    """
    flows = [_flow(name, flow) for name, flow in report["flows"].items()]
    known = [*flows, *_undeclared(flows)]
    evidence = Sources(report["flows"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if path.suffix.lower() in MARKDOWN_SUFFIXES:  # one block for each flow
            parts = (
                f"## {printable(flow.name)}\n\n"
                + fenced(str(draw([flow], known, evidence=evidence)), "mermaid")
                for flow in flows
            )
            write_file(path, "".join(f"{part}\n\n" for part in parts)[:-1].encode())
        else:
            draw(flows, known, output=path, evidence=evidence)
    return [str(warning.message) for warning in caught]


def _flow(name: str, flow: Mapping[str, Any]) -> FlowInfo:
    """Return a flow as in a report: the process that declared it may be gone."""
    after: dict[str, list[tuple[str]]] = {step: [] for step in flow["steps"]}
    for edge in flow["edges"]:
        after.setdefault(edge["after"], []).append((edge["before"],))
        if ":" not in edge["before"]:
            after.setdefault(edge["before"], [])
    here = (info for info in declared_flows() if info.name == name)
    infos = {step.name: step for info in here for step in info.steps}
    steps = (
        replace(infos.get(step, StepInfo(step, name)), after=tuple(names))
        for step, names in after.items()
    )
    return FlowInfo(name, tuple(steps))


def _undeclared(flows: list[FlowInfo]) -> Iterator[FlowInfo]:
    """Yield a flow for each name that no report declares, so that it can be drawn."""
    names = {flow.name for flow in flows}
    for flow in flows:
        own = {step.name for step in flow.steps}
        for step in flow.steps:
            for name in step.predecessors:
                other, _, missing = name.partition(":")
                if name not in own and other not in names and "/" not in other:
                    yield FlowInfo(other, (StepInfo(missing, other),))
