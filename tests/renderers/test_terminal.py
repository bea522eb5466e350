"""Drawings for a terminal: boxes where they fit, a tree where they do not."""

from __future__ import annotations

from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from penstock import FlowInfo, StepInfo
from penstock._graph.graph import build_graph
from penstock.renderers.terminal.boxes import Box, draw_boxes
from penstock.renderers.terminal.canvas import width_of
from penstock.renderers.terminal.text import render_text
from tests.support.flow_values import draw, flow_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.flow_values import After


def text(
    *flows: FlowInfo,
    known: Iterable[FlowInfo] = (),
    detail: bool = False,
    width: int = 80,
) -> str:
    """Return the drawing, between two newlines."""
    graph = build_graph(flows, known)
    drawing = render_text(graph, detail=detail, direction="TD", width=width)
    return f"\n{drawing}\n"


def test_boxes_and_lines() -> None:
    """Entrypoints have a double frame; each line can be followed."""
    flow = flow_of(
        "user_update",
        {
            "api_request": None,
            "admin_action": None,
            "validate": ["api_request", "admin_action"],
            "persist": "validate",
            "notify": "validate",
            "audit_log": ["persist", "notify"],
        },
    )

    assert text(flow) == dedent("""
        ╔══════════════╗   ╔═════════════╗
        ║ admin_action ║   ║ api_request ║
        ╚═══════╤══════╝   ╚══════╤══════╝
                └───────┐ ┌───────┘
                   ╭────▼─▼───╮
                   │ validate │
                   ╰─────┬────╯
                  ┌──────┴─────┐
             ╭────▼───╮   ╭────▼────╮
             │ notify │   │ persist │
             ╰────┬───╯   ╰────┬────╯
                  └─────┐ ┌────┘
                   ╭────▼─▼────╮
                   │ audit_log │
                   ╰───────────╯
    """)


def test_a_line_passes_boxes() -> None:
    """An edge that skips a row goes around its boxes."""
    flow = flow_of("f", {"a": None, "b": "a", "c": ["a", "b"]})

    assert text(flow) == dedent("""
         ╔═══╗
         ║ a ║
         ╚═╤═╝
           ├───┐
         ╭─▼─╮ │
         │ b │ │
         ╰─┬─╯ │
           │ ┌─┘
        ╭──▼─▼╮
        │  c  │
        ╰─────╯
    """)


def test_lines_keep_apart() -> None:
    """Two lines share no column, and cross only where they must."""
    flow = flow_of("f", {"a": [], "b": "a", "c": "b", "d": "b", "e": ["a", "b", "d"]})

    assert text(flow) == dedent("""
               ╭───╮
               │ a │
               ╰─┬─╯
                 ├─────┐
               ╭─▼─╮   │
               │ b │   │
               ╰─┬─╯   │
          ┌──────┼───┐ │
        ╭─▼─╮  ╭─▼─╮ │ │
        │ c │  │ d │ │ │
        ╰───╯  ╰─┬─╯ │ │
                ┌┘   │ │
                │ ┌──┘ │
                │ │ ┌──┘
             ╭──▼─▼─▼╮
             │   e   │
             ╰───────╯
    """)


def test_detail() -> None:
    """A box has descriptions, tags and joins."""
    flow = FlowInfo(
        "f",
        (
            StepInfo("a", "f", is_entrypoint=True, description="Begin."),
            StepInfo("b", "f", after=(("a",),), tags=("io",)),
            StepInfo("c", "f", after=(("a", "b"),)),
        ),
    )

    assert text(flow, detail=True) == dedent("""
              ╔════════╗
              ║   a    ║
              ║ Begin. ║
              ╚════╤═══╝
                   ├────┐
                ╭──▼──╮ │
                │  b  │ │
                │ #io │ │
                ╰──┬──╯ │
                   │    │
        ╭──────────▼────▼────╮
        │         c          │
        │ after all of: a, b │
        ╰────────────────────╯
    """)


def test_wide_characters_and_marks() -> None:
    """A wide character takes two cells, and a combining mark none."""
    flow = flow_of("f", {"注文": None, "e\u0301te\u0301": "注文", "\u0301": "注文"})

    assert text(flow) == dedent("""
           ╔══════╗
           ║ 注文 ║
           ╚═══╤══╝
           ┌───┴───┐
        ╭──▼──╮  ╭─▼─╮
        │ été │  │ ́  │
        ╰─────╯  ╰───╯
    """)


def test_names_cannot_steer_the_terminal() -> None:
    """Control and direction characters are never printed."""
    name = "a\x1b[2Jb\n\u202ec\u2028d\x9b"
    drawing = text(flow_of("f", {name: None}), flow_of("x\x1by\nz", {}))

    assert "\x1b" not in drawing
    assert "║ a [2Jb \ufffdc\ufffdd  ║" in drawing
    assert "x y z" in drawing


def test_a_cycle_is_told_in_words() -> None:
    """The steps of a cycle are drawn in order; edges that lead up stand below."""
    flow = flow_of("f", {"a": None, "b": ["a", "c"], "c": "b"})

    assert text(flow) == dedent("""
        ╔═══╗
        ║ a ║
        ╚═╤═╝
          │
        ╭─▼─╮
        │ b │
        ╰─┬─╯
          │
        ╭─▼─╮
        │ c │
        ╰───╯

        back to an earlier step:
          c → b
    """)


def test_several_flows() -> None:
    """Each flow is drawn separately, with its predecessors in other flows."""
    shop = flow_of("shop", {"pay": None})
    bills = flow_of("bills", {"pay": ["shop:pay", "far/away:x"]})

    assert text(shop, bills) == dedent("""
        bills

        ╭┄┄┄┄┄┄┄┄┄┄┄┄╮   ╭┄┄┄┄┄┄┄┄┄┄╮
        ┆ far/away:x ┆   ┆ shop:pay ┆
        ╰┄┄┄┄┄┄┬┄┄┄┄┄╯   ╰┄┄┄┄┄┬┄┄┄┄╯
               └──────┐ ┌──────┘
                    ╭─▼─▼─╮
                    │ pay │
                    ╰─────╯

        shop

        ╔═════╗
        ║ pay ║
        ╚═════╝
    """)


def test_a_flow_that_is_not_drawn() -> None:
    """A step outside the flow has its full name, in a dashed frame."""
    drawing = text(flow_of("f", {"a": ["g:x"]}), known=[flow_of("g", {"x": None})])

    assert "┆ g:x ┆" in drawing


@pytest.mark.parametrize("flow", [FlowInfo("f"), None])
def test_nothing(flow: FlowInfo | None) -> None:
    """Without flows the drawing is empty."""
    assert text(*([flow] if flow else [])) == "\n\n"


NARROW = flow_of(
    "f",
    {
        "receive": None,
        "validate": "receive",
        "charge": "validate",
        "reserve": "validate",
        "send": ["charge", "reserve"],
        "log": "send",
    },
)


def test_a_tree_where_boxes_do_not_fit() -> None:
    """A narrow terminal shows a tree; arrows point to steps shown elsewhere."""
    assert text(NARROW, width=18) == dedent("""
        receive
        └─ validate
           ├─ charge
           │  └─ send
           │     └─ log
           └─ reserve
              └─ send ↑
    """)


def test_boxes_that_almost_fit() -> None:
    """The frames of boxes count too, and a row that is too wide wraps."""
    flow = flow_of("f", {"a": None, "b": None})

    assert text(flow, width=4) == "\na\nb\n"
    assert text(flow, width=11).count("║ a ║\n") == 1
    assert text(flow, width=12).count("║ a ║  ║ b ║\n") == 1


def test_a_deep_tree_goes_on_below() -> None:
    """A tree that is too deep for the width continues at the margin."""
    names = [f"step_number_{number}" for number in range(7)]
    flow = flow_of(
        "f",
        {
            names[0]: None,
            **{name: before for before, name in pairwise(names)},
            names[4]: [names[3], "also_deep"],
            "also_deep": names[2],
            "other_with_it": [names[0], names[4]],
            "below_the_other": ["other_with_it"],
        },
    )

    assert text(flow, width=20) == dedent("""
        step_number_0
        ├─ other_with_it
        │  └─ below_the_other
        └─ step_number_1
           └─ step_number_2
              ├─ also_deep
              │  └─ step_number_4 ↓
              └─ step_number_3
                 └─ step_number_4 ↓
        step_number_4
        ├─ other_with_it ↑
        └─ step_number_5
           └─ step_number_6
    """)


def test_a_tree_of_a_cycle() -> None:
    """A cycle without predecessors begins at its first step."""
    flow = flow_of("f", {"aaaaaaaaaa": "bbbbbbbbbb", "bbbbbbbbbb": "aaaaaaaaaa"})

    assert text(flow, width=13) == dedent("""
        aaaaaaaaaa
        └─ bbbbbbbbbb
           └─ aaaaaaaaaa ↑
    """)


def test_a_line_leaves_the_column_of_another() -> None:
    """A line moves aside where the line of another box comes down."""
    boxes = {node: Box(["x"]) for node in range(6)}
    links = [(0, 1), (0, 4), (1, 2), (1, 3), (1, 4), (1, 5), (2, 5)]

    assert "\n".join(draw_boxes(boxes, links, width=80) or ()) == dedent("""\
         ╭───╮
         │ x │
         ╰─┬─╯
           ├──────────┐
         ╭─▼─╮        │
         │ x │        │
         ╰─┬─╯        │
           │          └──────┐
           ├──────┬────┬───┐ │
         ╭─▼─╮  ╭─▼─╮  │ ╭─▼─▼─╮
         │ x │  │ x │  │ │  x  │
         ╰─┬─╯  ╰───╯  │ ╰─────╯
           │ ┌─────────┘
        ╭──▼─▼╮
        │  x  │
        ╰─────╯""")


def test_a_line_that_comes_straight_down_keeps_its_column() -> None:
    """A line from the side enters beside it, and pushes it nowhere."""
    steps: Mapping[str, After] = {
        "reserve": None,
        "check": None,
        "pick": ["reserve", "check"],
        "backorder": "reserve",
        "pack": "pick",
        "cancel": ["check", "backorder"],
    }

    assert text(flow_of("f", steps)) == dedent("""
        ╔═══════╗  ╔═════════╗
        ║ check ║  ║ reserve ║
        ╚═══╤═══╝  ╚════╤════╝
            ├───────┐   │
            │ ┌─────│───┤
        ╭───▼─▼╮    │ ╭─▼─────────╮
        │ pick │    │ │ backorder │
        ╰───┬──╯    │ ╰─────┬─────╯
            │       └─────┐ │
        ╭───▼──╮       ╭──▼─▼───╮
        │ pack │       │ cancel │
        ╰──────╯       ╰────────╯
        """)


def test_boxes_grow_where_lines_crowd() -> None:
    """A box is widened if its lines would share columns with others."""
    boxes = {node: Box(["x"]) for node in range(9)}
    links = [(0, 3), (0, 5), (0, 8), (1, 2), (1, 4), (1, 6), (2, 5), (2, 7), (2, 8)]
    links += [(3, 5), (4, 7), (5, 6), (5, 7)]
    lines = draw_boxes(boxes, links, width=80)

    assert lines is not None
    assert "".join(lines).count("▼") == len(links)
    assert "╭────────▼───▼─▼─╮" in "\n".join(lines)


@pytest.mark.parametrize("size", [500, 100_000])
def test_large_flows_are_trees(size: int) -> None:
    """A graph too wide for any terminal is a tree, with few lines for each step."""
    steps = {"s0": None, **{f"s{at}": f"s{at - 1}" for at in range(1, size)}}
    flow = flow_of("f", steps)
    lines = text(flow).splitlines()

    assert len(lines) < 2.5 * size
    assert max(map(width_of, lines)) <= 80


def test_the_terminal_s_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a drawing is as wide as the terminal."""
    monkeypatch.setenv("COLUMNS", "18")
    assert str(draw([NARROW], format="text")).startswith("receive\n")
    monkeypatch.setenv("COLUMNS", "80")
    assert str(draw([NARROW], format="text")).startswith("      ╔")
