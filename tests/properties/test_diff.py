"""Laws of comparing flows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock import FlowInfo, StepInfo
from penstock._documents.blocks import blocks_of, replace_blocks
from penstock._manifests.diff import FlowChange, compare

NAMES = st.sampled_from(["a", "b", "c", "d:e", "end", "é"])
GROUPS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=3)
WORDS = st.sampled_from(["", "x", "y"])
OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


@st.composite
def steps_of(draw: st.DrawFn, flow: str) -> tuple[StepInfo, ...]:
    """Return steps of *flow*, each name once."""
    names = draw(st.lists(NAMES, unique=True))
    return tuple(
        StepInfo(
            name=name,
            flow=flow,
            is_entrypoint=draw(st.booleans()),
            after=tuple(draw(GROUPS)),
            description=draw(WORDS),
        )
        for name in names
    )


@st.composite
def systems(draw: st.DrawFn) -> list[FlowInfo]:
    """Return flows, each name once."""
    names = draw(st.lists(st.sampled_from(["f", "g", "d"]), unique=True))
    return [FlowInfo(name, draw(steps_of(name)), owner=draw(WORDS)) for name in names]


Edges = dict[str, tuple[set[str], set[tuple[str, str]]]]


def shape_of(changes: tuple[FlowChange, ...]) -> Edges:
    """Return flows with their steps and edges, of changes from nothing."""
    return {
        change.name: (
            {step.name for step in change.steps},
            {(edge.before, edge.after) for edge in change.edges},
        )
        for change in changes
    }


def applied(shape: Edges, changes: tuple[FlowChange, ...]) -> Edges:
    """Return what *shape* is after *changes*."""
    result = {name: (set(steps), set(edges)) for name, (steps, edges) in shape.items()}
    for change in changes:
        steps, edges = result.setdefault(change.name, (set(), set()))
        for step in change.steps:
            if step.status == "added":
                assert step.name not in steps
                steps.add(step.name)
            elif step.status == "removed":
                steps.remove(step.name)
            else:
                assert step.name in steps
        for edge in change.edges:
            pair = (edge.before, edge.after)
            if edge.status == "added":
                assert pair not in edges
                edges.add(pair)
            else:
                edges.remove(pair)
        if change.status == "removed":
            assert result.pop(change.name) == (set(), set())
    return result


@given(systems())
def test_nothing_differs_from_itself(flows: list[FlowInfo]) -> None:
    """Flows do not differ from themselves in another order."""
    assert compare(flows, flows) == ()
    turned = [FlowInfo(flow.name, flow.steps[::-1], flow.owner) for flow in flows[::-1]]
    assert compare(flows, turned) == ()


@given(systems(), systems())
def test_changes_lead_from_one_to_the_other(
    old: list[FlowInfo], new: list[FlowInfo]
) -> None:
    """The changes, applied to the old flows, give the new ones."""
    known = (*old, *new)
    before = shape_of(compare([], old, new_known=known))
    after = shape_of(compare([], new, new_known=known))

    changes = compare(old, new, old_known=known, new_known=known)

    assert applied(before, changes) == after


@given(systems(), systems())
def test_the_way_back(old: list[FlowInfo], new: list[FlowInfo]) -> None:
    """Compared backwards, added and removed change places."""
    there = compare(old, new)
    back = compare(new, old)

    assert [(c.name, OPPOSITE[c.status]) for c in there] == [
        (c.name, c.status) for c in back
    ]
    for one, other in zip(there, back, strict=True):
        assert {(s.name, OPPOSITE[s.status]) for s in one.steps} == {
            (s.name, s.status) for s in other.steps
        }


LINES = st.lists(
    st.sampled_from(
        ["", "text", "\ta", "> q", "- item", "\x0b", "\u2028", "é", "`code`", "# T"]
    ),
    max_size=6,
)
BLOCK = st.tuples(LINES, LINES)


@given(
    st.lists(BLOCK, max_size=4),
    LINES,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "the last line ends"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n")),
)
def test_all_else_is_untouched(
    blocks: list[tuple[list[str], list[str]]],
    tail: list[str],
    newline: str,
    ends: str,
    text: str,
) -> None:
    """Only the text between markers changes, and a second run changes nothing."""
    parts: list[tuple[list[str], bool]] = []
    for around, inside in blocks:
        parts += [([*around, "<!-- penstock:x -->"], False), (inside, True)]
        parts += [(["<!-- /penstock -->"], False)]
    parts.append((tail, False))
    lines = [line for some, _ in parts for line in some]
    document = newline.join(lines) + (newline if ends else "")
    found = blocks_of(document)
    texts = [block.filled(text) for block in found]

    result = replace_blocks(document, found, texts)

    assert len(found) == len(blocks)
    assert replace_blocks(document, found, [block.text for block in found]) == document
    again = blocks_of(result)
    assert [block.text for block in again] == texts
    assert without(result) == without(document)


def without(document: str) -> str:
    """Return *document* with its blocks empty."""
    blocks = blocks_of(document)
    return replace_blocks(document, blocks, [""] * len(blocks))
