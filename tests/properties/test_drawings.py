"""Laws of drawings: what was declared is what a real parser reads back."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import FlowInfo, ManifestError, StepInfo
from penstock._graph.evidence import CodeEvidence, Sources
from penstock._graph.graph import build_graph
from penstock._graph.merge import merge_flows
from penstock._graph.overview import overview_of
from penstock._manifests.manifest import dump_manifest, parse_manifest
from penstock.renderers.terminal.text import render_text
from tests.support.diagram_parsers import parse_dot
from tests.support.flow_values import draw
from tests.support.random_flows import flows, pairs_of, shown, systems, trimmed
from tests.support.reports import recorded
from tests.support.text_drawings import edges_of_boxes, edges_of_tree

if TYPE_CHECKING:
    from random import Random

    from tests.support.diagram_parsers import Drawing, Mermaid

# Each example takes Mermaid up to 0.1 s, and pyparsing up to 0.4 s.
some = settings(max_examples=settings().max_examples // 2)
few = settings(max_examples=settings().max_examples // 5)


def drawn(form: str, *parts: FlowInfo, detail: bool = False) -> str:
    """Return a drawing of *parts*, without warnings about its size."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="the diagram has")
        return str(draw(parts, format=form, detail=detail))


def assert_shows(drawing: Drawing, flow: FlowInfo) -> None:
    """Check that a parsed drawing has the steps and edges of *flow*, and no others."""
    labels = {node: trimmed(label) for node, label in drawing.labels.items()}
    assert Counter(labels.values()) == Counter(shown(step.name) for step in flow.steps)
    assert Counter((labels[one], labels[two]) for one, two in drawing.edges) == Counter(
        (shown(one), shown(two)) for one, two in pairs_of(flow)
    )


@some
@given(flow=flows())
def test_mermaid_reads_what_was_declared(mermaid: Mermaid, flow: FlowInfo) -> None:
    """Mermaid itself finds the declared steps and edges, whatever they are called."""
    assert_shows(mermaid.parse(drawn("mermaid", flow)), flow)


@some
@given(flow=flows(max_size=20))
def test_mermaid_reads_the_detailed_drawing(mermaid: Mermaid, flow: FlowInfo) -> None:
    """The detailed drawing has the same steps and edges."""
    assert_shows(mermaid.parse(drawn("mermaid", flow, detail=True)), flow)


@few
@given(flow=flows(max_size=30))
def test_graphviz_reads_what_was_declared(flow: FlowInfo) -> None:
    """A parser of DOT finds the declared steps and edges."""
    assert_shows(parse_dot(drawn("dot", flow)), flow)


def assert_frames(drawing: Drawing, parts: tuple[FlowInfo, ...]) -> None:
    """Check that a parsed drawing has each flow in its frame, and all the edges."""
    labels = {node: trimmed(label) for node, label in drawing.labels.items()}
    assert Counter(
        (trimmed(title), *sorted(labels[node] for node in nodes))
        for title, nodes in drawing.frames
    ) == Counter(
        (shown(part.name), *sorted(shown(step.name) for step in part.steps))
        for part in parts
    )
    assert len(drawing.edges) == sum(len(pairs_of(part)) for part in parts)
    assert len(labels) == sum(len(part.steps) for part in parts)


@some
@given(parts=systems())
def test_mermaid_reads_flows_as_subgraphs(
    mermaid: Mermaid, parts: tuple[FlowInfo, ...]
) -> None:
    """In a drawing of several flows each step is in the frame of its flow."""
    assert_frames(mermaid.parse(drawn("mermaid", *parts)), parts)


@few
@given(parts=systems())
def test_graphviz_reads_flows_as_clusters(parts: tuple[FlowInfo, ...]) -> None:
    """The same in DOT."""
    assert_frames(parse_dot(drawn("dot", *parts)), parts)


@given(flow=flows(max_size=40, is_cyclic=True), random=st.randoms())
def test_order_of_declaration_plays_no_part(flow: FlowInfo, random: Random) -> None:
    """However steps and predecessors are ordered, every format gives the same bytes."""
    steps = [
        replace(step, after=tuple(random.sample(step.after, len(step.after))))
        for step in flow.steps
    ]
    random.shuffle(steps)
    other = replace(flow, steps=tuple(steps))

    for form in ("mermaid", "dot", "json", "text"):
        assert drawn(form, other, detail=True) == drawn(form, flow, detail=True)


@given(flow=flows(max_size=40, is_cyclic=True))
def test_layers_respect_edges_outside_cycles(flow: FlowInfo) -> None:
    """An edge leads down, or along a cycle, and layers are longest paths."""
    graph = build_graph([flow])
    after: dict[int, set[int]] = {node.number: set() for node in graph.nodes}
    for edge in graph.edges:
        after[edge.before.number].add(edge.after.number)
    reached = {node: _reached(node, after) for node in after}
    for edge in graph.edges:
        is_on_cycle = edge.before.number in reached[edge.after.number]
        assert (edge.before.layer == edge.after.layer) == is_on_cycle
        assert edge.before.layer <= edge.after.layer
    for node in graph.nodes:
        cycle = {
            other for other in reached[node.number] if node.number in reached[other]
        }
        cycle.add(node.number)
        above = [
            edge.before.layer
            for edge in graph.edges
            if edge.after.number in cycle and edge.before.number not in cycle
        ]
        assert node.layer == max(above, default=-1) + 1


def _reached(start: int, after: dict[int, set[int]]) -> set[int]:
    found: set[int] = set()
    waiting = [start]
    while waiting:
        for node in after[waiting.pop()] - found:
            found.add(node)
            waiting.append(node)
    return found


@given(flow=flows(max_size=40, is_cyclic=True))
def test_every_edge_is_there_once(flow: FlowInfo) -> None:
    """The graph has each declared edge, sorted by layer and names."""
    graph = build_graph([flow])
    pairs = [(edge.before.label, edge.after.label) for edge in graph.edges]

    assert sorted(pairs) == pairs_of(flow)
    keys = [
        (edge.before.layer, edge.before.label, edge.after.label) for edge in graph.edges
    ]
    assert keys == sorted(keys)


SIMPLE = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
NUMBERED = ["step_{}"]


@given(flow=flows(max_size=14, name_of=SIMPLE, patterns=NUMBERED))
def test_lines_between_boxes_are_the_edges(flow: FlowInfo) -> None:
    """Following the lines of a terminal drawing finds what was declared."""
    drawing = render_text(
        build_graph([flow]), detail=False, direction="TD", width=10**6
    )

    assert sorted(edges_of_boxes(drawing, flow)) == pairs_of(flow)


@given(flow=flows(max_size=60, name_of=SIMPLE, patterns=NUMBERED, is_cyclic=True))
def test_lines_of_a_tree_are_the_edges(flow: FlowInfo) -> None:
    """Each declared edge is one line of the tree, and each step has a line."""
    drawing = render_text(build_graph([flow]), detail=False, direction="TD", width=1)

    assert sorted(edges_of_tree(drawing)) == pairs_of(flow)


@given(parts=systems())
def test_nothing_steers_the_terminal(parts: tuple[FlowInfo, ...]) -> None:
    """Drawings for a terminal contain no control characters."""
    for width in (20, 10**6):
        graph = build_graph(parts)
        drawing = render_text(graph, detail=True, direction="TD", width=width)
        assert not set(drawing) & set(
            map(chr, (*range(10), *range(11, 32), *range(127, 160)))
        )


@given(parts=systems())
def test_a_manifest_holds_everything(parts: tuple[FlowInfo, ...]) -> None:
    """A manifest is read back and written again without a difference."""
    text = dump_manifest(parts)
    read = parse_manifest(text, source="x")

    assert dump_manifest(read) == text
    assert {flow.name: pairs_of(flow) for flow in read} == {
        flow.name: pairs_of(flow) for flow in parts
    }


KEYS = st.sampled_from(["penstock", "flows", "name", "steps", "after", "line"])
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=6)
    ),
)


@given(document=JSON, flow=JSON, step=JSON)
def test_any_json_is_a_manifest_or_a_clear_error(
    document: object, flow: object, step: object
) -> None:
    """Reading any file gives flows or a ``ManifestError``."""
    whole = {"penstock": 1, "flows": [flow]}
    deep = {"penstock": 1, "flows": [{"name": "f", "steps": [step]}]}
    for candidate in (document, whole, deep):
        try:
            found = parse_manifest(json.dumps(candidate), source="x.json")
        except ManifestError as exc:
            found, message = (), str(exc)
            assert "x.json" in message
        assert all(isinstance(item, FlowInfo) for item in found)


@st.composite
def manifests(draw: st.DrawFn) -> list[FlowInfo]:
    """Draw the flows of a few services, with few names, so that they clash."""
    steps = st.builds(
        StepInfo,
        st.sampled_from("abc"),
        st.just("f"),
        is_entrypoint=st.booleans(),
        after=st.lists(
            st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(tuple),
            max_size=2,
        ).map(tuple),
        description=st.sampled_from(["", "one", "two"]),
        line=st.integers(0, 2),
        crosses=st.booleans(),
    )
    every = [StepInfo(name, "f") for name in "abc"]
    flows_ = st.builds(
        lambda name, own, owner, service: FlowInfo(
            name,
            tuple(
                replace(step, flow=name)
                for step in ({step.name: step for step in (*every, *own)}).values()
            ),
            owner=owner,
            service=service,
        ),
        st.sampled_from("fg"),
        st.lists(steps, max_size=4),
        st.sampled_from(["", "ann", "bob"]),
        st.sampled_from(["", "shop", "mail"]),
    )
    return draw(st.lists(flows_, max_size=5))


@given(parts=manifests(), random=st.randoms(use_true_random=False))
def test_the_union_of_manifests(parts: list[FlowInfo], random: Random) -> None:
    """Neither the order of manifests nor a repetition changes what is drawn."""
    whole = merge_flows(parts)
    shuffled = [*parts, *parts[:2]]
    random.shuffle(shuffled)

    assert merge_flows(shuffled) == whole
    assert merge_flows(whole) == whole
    assert merge_flows((*merge_flows(parts[:2]), *merge_flows(parts[2:]))) == whole
    assert drawn("mermaid", *merge_flows(shuffled)) == drawn("mermaid", *whole)


@given(parts=systems())
def test_an_overview_counts_every_edge_between_flows(
    parts: tuple[FlowInfo, ...],
) -> None:
    """Boxes are the flows, and lines stand for all edges between them."""
    whole = build_graph(parts)
    overview = overview_of(whole)
    between = [
        edge for edge in whole.edges if edge.before.step.flow != edge.after.step.flow
    ]

    assert sorted(overview.labels) == sorted(part.name for part in parts)
    assert sum(bundle.size for bundle in overview.bundles.values()) == len(between)
    assert overview_of(whole, [part.name for part in parts]).boxes == {}


@some
@given(flow=flows(max_size=12), count=st.integers(0, 3))
def test_evidence_changes_no_step_and_no_edge(
    mermaid: Mermaid, flow: FlowInfo, count: int
) -> None:
    """With evidence, parsers find the declared edges and a legend."""
    steps = {step.name: count for step in flow.steps}
    edges = dict.fromkeys(pairs_of(flow), count)
    first = next(iter(steps), "")
    runs = recorded(steps, edges, broken={(first, name): 1 for name in steps})
    whole = Sources({flow.name: runs}, CodeEvidence({}, [(flow.name, first, first)]))
    plain = set(pairs_of(flow))
    strays = {(first, name) for name in steps if name != first} - plain
    legends = 1 if plain | strays else 0

    for form, parse in (("mermaid", mermaid.parse), ("dot", parse_dot)):
        found = parse(str(draw((flow,), format=form, evidence=whole)))
        assert len(found.labels) == len(flow.steps) + legends
        assert len(found.edges) == len(plain | strays)
    assert parse_manifest(
        str(draw((flow,), format="json", evidence=whole)), source="it"
    ) == parse_manifest(dump_manifest((flow,)), source="it")
