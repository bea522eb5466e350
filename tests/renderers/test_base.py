"""Which formats there are, and how a package adds one."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from penstock import ConfigurationError
from penstock._dag import FORMATS, draw
from penstock.renderers.base import find_renderer, renderer_names
from tests.support.flow_values import flow_of

if TYPE_CHECKING:
    from pathlib import Path

FLOW = flow_of("orders", {"receive": None})


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that draws a format of its own, and one that is taken."""
    info = tmp_path / "shouting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: shouting\nVersion: 1\n"
    )
    (info / "entry_points.txt").write_text(
        "[penstock.renderers]\nshout = shouting:shout\ndot = shouting:shout\n"
    )
    (tmp_path / "shouting.py").write_text(
        "def shout(graph, *, detail, direction):\n"
        "    return f'{graph.title.upper()} {detail} {direction}'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    sys.modules.pop("shouting", None)


def test_formats_that_come_with_penstock() -> None:
    """The names that the documentation gives, and no others."""
    assert set(FORMATS) == {"mermaid", "dot", "json", "text", "svg", "png", "html"}
    assert set(renderer_names()) >= set(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_a_renderer(form: str) -> None:
    """What a message lists can be drawn."""
    assert callable(find_renderer(form))


@pytest.mark.usefixtures("plugin")
def test_a_package_adds_a_format() -> None:
    """An entry point's name is a format; what penstock draws itself stays its own."""
    assert draw([FLOW], format="shout", detail=True, direction="LR") == "ORDERS True LR"
    assert str(draw([FLOW], format="dot")).startswith("digraph")


@pytest.mark.usefixtures("plugin")
def test_an_unknown_format_lists_those_of_packages_too() -> None:
    """The message names what was probably meant, and all there is."""
    with pytest.raises(ConfigurationError, match=r"'shuot'.*'shout'.*mermaid.*shout"):
        find_renderer("shuot")


def test_an_unknown_format() -> None:
    """The message names what was probably meant."""
    with pytest.raises(
        ConfigurationError, match=r"'mermiad'. Did you mean 'mermaid'\?"
    ):
        draw([FLOW], format="mermiad")
