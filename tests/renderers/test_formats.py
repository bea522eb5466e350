"""Which formats there are, and how a package adds one."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, get_args

import pytest

from penstock import ConfigurationError, all_of, flow, generate_dag
from penstock.renderers.formats import FORMATS, TextFormat, find_renderer

if TYPE_CHECKING:
    from pathlib import Path

RENDERER = r'''
"""Lists steps and edges: what a package outside penstock would write."""

from penstock.renderers import Direction, Edge, Graph


def render_list(graph: Graph, *, detail: bool, direction: Direction) -> str:
    lines = [f"{graph.title} {direction}"]
    for cluster in graph.clusters:
        lines += [f"- {node.label}" for node in cluster.nodes]
    lines += [line_of(edge, detail) for edge in graph.edges]
    return "\n".join(lines)


def line_of(edge: Edge, detail: bool) -> str:
    joins = f" {edge.joins}" if detail and edge.joins else ""
    return f"{edge.before.label} > {edge.after.label}{joins}"
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that adds a format, and one that penstock has already."""
    info = tmp_path / "listing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: listing\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[penstock.renderers]\nlist = listing:render_list\ndot = listing:render_list\n"
    )
    (tmp_path / "listing.py").write_text(RENDERER)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    sys.modules.pop("listing", None)


@pytest.fixture
def _orders() -> None:
    orders = flow("orders")
    orders.entrypoint(name="receive")(lambda: None)
    orders.step(name="charge", after="receive")(lambda: None)
    orders.step(name="ship", after=all_of("receive", "charge"))(lambda: None)


def test_formats_that_come_with_penstock() -> None:
    """They are those of the documentation; all but one are text."""
    assert set(FORMATS) == {"mermaid", "dot", "json", "text", "svg", "png", "html"}
    assert {*get_args(TextFormat), "png"} == set(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_a_renderer(form: str) -> None:
    """Each format that a message lists can be drawn."""
    if form == "png":
        pytest.importorskip("resvg_py", reason="needs resvg-py")
    assert callable(find_renderer(form))


@pytest.mark.usefixtures("plugin", "_orders")
def test_a_package_adds_a_format() -> None:
    """It needs nothing but public types; penstock's own formats cannot be replaced."""
    plain = generate_dag("orders", format="list", direction="LR")
    detailed = generate_dag("orders", format="list", detail=True)

    assert plain == (
        "orders LR\n- receive\n- charge\n- ship\n"
        "receive > charge\nreceive > ship\ncharge > ship"
    )
    assert str(detailed).endswith("receive > ship (1,)\ncharge > ship (1,)")
    assert generate_dag("orders", format="dot").startswith("digraph")


@pytest.mark.usefixtures("plugin", "_orders")
def test_an_unknown_format_lists_those_of_packages_too() -> None:
    """The message suggests a similar name, and lists all formats."""
    with pytest.raises(ConfigurationError, match=r"'lsit'.*'list'.*list, mermaid"):
        generate_dag("orders", format="lsit")


def test_an_unknown_format() -> None:
    """The message suggests a similar name."""
    with pytest.raises(
        ConfigurationError, match=r"'mermiad'. Did you mean 'mermaid'\?"
    ):
        generate_dag(None, format="mermiad")
