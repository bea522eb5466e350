"""Random flows for Hypothesis, with names that break diagrams if they can."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from penstock import FlowInfo, StepInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["flows", "names", "pairs_of", "shown", "systems", "trimmed"]

_HOSTILE = [
    "end",
    "graph",
    "subgraph",
    "default",
    "style",
    "linkStyle",
    "class",
    "click",
    "call",
    "href",
    "direction",
    "TB",
    "TD",
    "LR",
    "__proto__",
    "constructor",
    "_self",
    "o",
    "x",
    "v",
    "node",
    "edge",
    "digraph",
    "strict",
    "__b__",
    "\\",
    '"',
    "'",
    "`",
    "```",
    ";",
    ":",
    "#",
    "&",
    "%",
    "%%",
    "--",
    "-->",
    "-.->",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "|",
    "\\n",
    "\\l",
    "<br/>",
    "</script>",
    "&amp;",
    "&#34;",
    "#34;",
    "#quot;",
    "a:b",
    "a/b:c",
    "https://x.y/z",
    "$$x$$",
    "fa:fa-car",
    "**b**",
    "1.",
    "-",
    "ﬂ°°34¶ß",
    "a|b",
    "{a}",
    "<b>",
]
_PATTERNS = ["step_{}", "step {}", '"{}"', "end{}", "{}", "注文{}", "TD{}", "f:{}"]
_CHARACTERS = st.one_of(
    st.characters(exclude_categories=()),
    st.sampled_from(
        "\"'`\\<>&#;:|[](){}%$@!?*_-.,/ \n\r\t\x00\x1b\x7f\x85\u200b\u2028"
    ),
    st.sampled_from("\u202e\u2066\ufeff\ufffe\ud800\udfff\u0301é注😀\U0001f468\u200d"),
)
names = st.one_of(
    st.sampled_from(_HOSTILE),
    st.text(_CHARACTERS, min_size=1, max_size=12),
    st.builds(str.__mul__, st.text(_CHARACTERS, min_size=1, max_size=3), st.just(200)),
)
_plain_names = st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True)


@st.composite
def flows(
    draw: st.DrawFn,
    *,
    name: str = "f",
    max_size: int = 200,
    name_of: st.SearchStrategy[str] = names,
    patterns: Sequence[str] = _PATTERNS,
    is_cyclic: bool = False,
) -> FlowInfo:
    """Draw a flow of up to *max_size* steps, in any order of declaration."""
    special = draw(st.lists(name_of | _plain_names, unique=True, max_size=30))
    size = draw(st.integers(0, max_size))
    pattern = draw(st.sampled_from(patterns))
    plain = (pattern.format(number) for number in range(size))
    called = list(dict.fromkeys([*special, *plain]))[:max_size]
    befores = _befores(draw, called, is_cyclic=is_cyclic)
    steps = [
        StepInfo(
            name=step,
            flow=name,
            is_entrypoint=not befores[step],
            after=tuple((before,) for before in befores[step]),
        )
        for step in called
    ]
    return FlowInfo(name, tuple(draw(st.permutations(steps))))


def _befores(
    draw: st.DrawFn, called: Sequence[str], *, is_cyclic: bool
) -> dict[str, list[str]]:
    befores: dict[str, list[str]] = {step: [] for step in called}
    places = range(len(called))
    random = Random(draw(st.integers(0, 2**32)))  # noqa: S311  # no secrets here
    for _ in range(draw(st.integers(0, 2 * len(called)))):
        first, second = random.choice(places), random.choice(places)
        if first > second and not is_cyclic:
            first, second = second, first
        if first != second or is_cyclic:
            befores[called[second]].append(called[first])
    return befores


@st.composite
def systems(draw: st.DrawFn) -> tuple[FlowInfo, ...]:
    """Draw several flows with hostile names, and edges between them."""
    called = draw(st.lists(names, unique=True, min_size=2, max_size=4))
    parts = [draw(flows(name=name, max_size=8)) for name in called]
    everywhere = Counter(
        f"{part.name}:{step.name}" for part in parts for step in part.steps
    )
    clear = sorted(name for name, times in everywhere.items() if times == 1)
    return tuple(_with_links(draw, part, clear) for part in parts)


def _with_links(draw: st.DrawFn, flow: FlowInfo, clear: Sequence[str]) -> FlowInfo:
    """Let the last step come after steps of other flows, too."""
    own = {step.name for step in flow.steps}
    far = [
        name
        for name in clear
        if name not in own and not name.startswith(f"{flow.name}:")
    ]
    if not own or not far:
        return flow
    chosen = draw(st.lists(st.sampled_from(far), unique=True, max_size=3))
    *others, last = flow.steps
    last = replace(last, after=(*last.after, *((name,) for name in chosen)))
    return replace(flow, steps=(*others, last))


def pairs_of(flow: FlowInfo) -> list[tuple[str, str]]:
    """Return the edges of a flow as names, each once, sorted."""
    return sorted(
        {(before, step.name) for step in flow.steps for before in step.predecessors}
    )


def shown(name: str) -> str:
    """Return what a reader should see of *name*."""
    if all(unicodedata.category(char)[0] in "CZ" for char in name):
        name = ascii(name)
    text = name.replace("\r\n", "\n").replace("\r", "\n")
    return trimmed("".join(map(_shown_char, text)))


def trimmed(text: str) -> str:
    """Return *text* without blanks at its ends, which no drawing keeps."""
    return re.sub(r"\A[\s\ufeff]+|[\s\ufeff]+\Z", "", text)


def _shown_char(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return " " if unicodedata.category(char) == "Cc" and char != "\n" else char
